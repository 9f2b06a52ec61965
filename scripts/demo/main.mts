// What `npm run demo` shows once set-up is through; scripts/demo.mjs starts it on the Node of this checkout.
import { parseArgs } from "node:util";
import { down, run } from "../../test/support/machines/lab.mts";
import { findPulumi } from "../setup/pulumi.mjs";
import { Failure, Interrupted } from "./failure.mts";
import { printGoOn, printLeft, printPlay } from "./go-on.mts";
import { compareHosts, type HostStates, readHosts } from "./hosts-state.mts";
import { onInterrupt, wasInterrupted } from "./interrupt.mts";
import { dropBuild, startLab } from "./lab.mts";
import { print, show, step, styled } from "./output.mts";
import { changes, counts, resourceList } from "./printed.mts";
import { makeProject } from "./project.mts";
import * as stack from "./stack.mts";
import { note, part, printSummary } from "./summary.mts";
import { call, showTable } from "./traffic.mts";

const nat = { stack: "demo-nat", vip: "192.168.0.219" };
const dr = { stack: "demo-dr", vip: "192.168.0.210" };

const { values } = parseArgs({
  options: { keep: { type: "boolean" }, "setup-seconds": { type: "string", default: "0" } },
});
const keep = values.keep ?? false;

const build = async ({ stack: name, vip }: typeof nat): Promise<string> => {
  show(resourceList(await stack.preview(name)));
  const done = counts(await stack.up(name));
  show([done]);
  const answers = await call(vip);
  await showTable();
  return `${done}; answered: ${answers}`;
};

const changeWeight = async (): Promise<string> => {
  await stack.configure(dr.stack, "clusters.dr.realServers[0].weight", "3");
  const lines = changes(await stack.preview(dr.stack, "--diff"));
  show(lines.map((line) => (line.includes("=>") ? styled("yellow", line) : line)));
  if (!lines.some((line) => line.trim() === "~ weight: 1 => 3"))
    throw new Failure("the preview does not say ~ weight: 1 => 3", lines);
  const done = counts(await stack.up(dr.stack));
  show([done]);
  const answers = await call(dr.vip);
  await showTable();
  print("  wlc goes by the connections it remembers, InActConn too: so rs1 is first to catch up");
  return `${done}; answered: ${answers}`;
};

// `--keep` leaves both up to play with; LVS/DR was shown alone, and its answers going straight to the client
const buildBoth = async (): Promise<string> => {
  print(
    "  NAT takes answers to the client through the director, which drops DR's as coming from its own VIP,",
  );
  print("  unless it is configured to accept them:");
  await step("director: sysctl -w net.ipv4.conf.eth2.accept_local=1", () =>
    run("director", "sysctl -qw net.ipv4.conf.eth2.accept_local=1"),
  );
  const done = counts(await stack.up(nat.stack));
  show([done]);
  await call(nat.vip);
  await call(dr.vip);
  await showTable();
  return "both stacks up";
};

const demo = async (): Promise<void> => {
  if (!findPulumi()) throw new Failure("no Pulumi CLI, and so no demo: set-up says above what is missing");
  note({ title: "Set-up", seconds: Number(values["setup-seconds"]), note: "packages, CLI, npm modules" });
  let ranBefore = false;
  let before: HostStates = new Map();
  await part("Lab", async () => {
    ranBefore = await startLab();
    before = await step("look at the hosts, to compare later", readHosts);
    return `four machines, ${ranBefore ? "reset" : "started"}`;
  });
  makeProject({ [nat.stack]: "Pulumi.lab-nat.yaml", [dr.stack]: "Pulumi.lab-dr.yaml" });
  await part("LVS/NAT", async () => {
    await stack.init(nat.stack);
    const built = await build(nat);
    show([counts(await stack.destroy(nat.stack))]);
    return built;
  });
  await part("LVS/DR", async () => {
    await stack.init(dr.stack);
    return build(dr);
  });
  await part("Weight 1 => 3", changeWeight);
  if (keep) {
    await part("Both at once", buildBoth);
    printSummary();
    return printPlay([nat.stack, dr.stack]);
  }
  await part("Clean up", async () => {
    show([counts(await stack.destroy(dr.stack))]);
    await compareHosts(before);
    if (!ranBefore) await step("stopping the lab", down);
    return "hosts as before";
  });
  printSummary();
  printGoOn(ranBefore);
};

let leaving: Promise<never> | undefined;

// both the signal and the failure of what it broke off lead here
const leave = (): Promise<never> => {
  leaving ??= (async () => {
    print("demo: interrupted");
    await dropBuild();
    await printLeft();
    process.exit(130);
  })();
  return leaving;
};

onInterrupt(leave);
await demo().catch(async (error: Error) => {
  if (error instanceof Interrupted || (await wasInterrupted())) return leave();
  print(`\n${styled("red", `demo: ${error.message}`)}`);
  if (error instanceof Failure) {
    show(error.tail.slice(0, 40));
    if (error.tail.length > 40) show([`… and ${error.tail.length - 40} more lines`]);
    if (error.more) print(`  everything it printed: ${error.more}`);
  }
  await printLeft();
  process.exit(1);
});
