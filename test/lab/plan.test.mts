import { expect, it } from "vitest";
import { until } from "../support/machines/command.mts";
import { type HostName, run } from "../support/machines/lab.mts";
import { breakOff, hold } from "./held.mts";
import { disposing, onLab } from "./setup.mts";
import { Stack } from "./stack.mts";
import { tracedLines, traceShells } from "./traced.mts";

const hosts: readonly HostName[] = ["director", "rs1", "rs2"];

interface Plan {
  readonly summary: string;
  readonly changes: readonly {
    readonly host: HostName;
    readonly op: string;
    readonly lines: readonly {
      readonly text: string;
      readonly isRecord: boolean;
      readonly unknown?: string;
    }[];
    readonly live?: { readonly connections?: { readonly text: string } };
  }[];
}

const connection = (host: HostName) => ({ connection: { host } });
const servers = (net: string, weight: number) => [
  { name: "rs1", address: `${net}1`, weight, ...connection("rs1") },
  { name: "rs2", address: `${net}2`, ...connection("rs2") },
];

// Each resource depends on the one before it, because others come in any order.
const inOrder = `
let last;
pulumi.runtime.registerStackTransformation(({ type, resource, props, opts }) => {
  if (!type.startsWith("pulumi-nodejs:dynamic")) return undefined;
  const before = last;
  last = resource;
  return before && { props, opts: { ...opts, dependsOn: [opts.dependsOn ?? [], before].flat() } };
});`;

/** An LVS/DR and an LVS/NAT cluster on the same machines. */
const program = (weight: number, port: number, prefixLength: number): string => `${inOrder}
new lvs.DrCluster("dr", ${JSON.stringify({
  director: { ...connection("director"), interface: "eth1" },
  vips: ["192.168.0.210"],
  services: [{ port: 80, scheduler: "wlc" }],
  realServers: servers("192.168.0.22", weight),
})});
new lvs.NatCluster("nat", ${JSON.stringify({
  director: { ...connection("director"), interface: "eth1", insideInterface: "eth2", dip: "192.168.10.10" },
  vips: [{ address: "192.168.0.219", prefixLength }],
  services: [{ port, scheduler: "rr" }],
  realServers: servers("192.168.10.1", weight),
  returnRoutes: ["192.168.0.100"],
})});`;

/** The lines of a plan by host, without the package's own records, and those that it cannot know if `isSure`. */
const linesOf = ({ changes }: Plan, isSure = false) =>
  Object.fromEntries(
    hosts.map((host) => [
      host,
      changes
        .filter((change) => change.host === host)
        .flatMap(({ lines }) => lines)
        .filter(({ isRecord, unknown }) => !isRecord && !(isSure && unknown !== undefined))
        .map(({ text }) => text),
    ]),
  );

onLab("the plan of a DR and of a NAT cluster", () => {
  const keep = disposing();
  let stack: Stack;

  /** Plans without and with the hosts, and runs the plan. Returns the plan with the hosts. */
  async function compare(source: string): Promise<Plan> {
    await stack.program(source);
    const file = `${stack.folder}/plan.json`;
    const blind = await stack.pulumiLvs(["plan", "--json"]);
    expect(blind.code, blind.text).toBe(0);
    const saved = await stack.pulumiLvs(["plan", "--live", "--json", "--save", file]);
    expect(saved.code, saved.text).toBe(0);
    const plan = JSON.parse(saved.text.slice(0, saved.text.lastIndexOf("}") + 1)) as Plan;
    for (const host of hosts) await tracedLines(host);
    const flags = ["--yes", "--skip-preview", "--parallel", "1", "--non-interactive", "--color", "never"];
    const { code, text } = await stack.pulumiLvs(["up", "--plan", file, ...flags]);
    expect(code, text).toBe(0);
    const ran: Record<string, string[]> = {};
    for (const host of hosts) ran[host] = await tracedLines(host);
    expect(linesOf(plan)).toEqual(ran);
    // What the plan without the hosts is sure of is run, and in its order.
    const sure = linesOf(JSON.parse(blind.text) as Plan, true);
    for (const host of hosts)
      expect(ran[host]?.filter((line) => sure[host]?.includes(line))).toEqual(sure[host]);
    return plan;
  }

  it("has the lines that a tracing shell sees when both are created", async () => {
    await traceShells(hosts);
    stack = keep(await Stack.ofProgram(program(1, 80, 24)));
    const first = await compare(program(1, 80, 24));
    expect(new Set(first.changes.map(({ op }) => op))).toEqual(new Set(["create"]));
  });

  it("has those of a change and of a replacement", async () => {
    // Another port and another prefix replace what they are part of.
    const second = await compare(program(3, 8080, 32));
    expect([...new Set(second.changes.map(({ op }) => op))].sort()).toEqual(["create", "delete", "update"]);
    expect(second.changes.flatMap(({ live }) => live?.connections?.text ?? [])).toContain(
      "edited in place, 0 affected",
    );
  });

  it("has those of a deletion, and says how many open connections it ends", async () => {
    await hold("192.168.0.210");
    await until("the client's connection", 300, async () =>
      / 1 +0 *$/m.test((await run("director", "ipvsadm -Ln")).stdout) ? true : undefined,
    );
    const last = await compare("");
    await breakOff();
    expect(new Set(last.changes.map(({ op }) => op))).toEqual(new Set(["delete"]));
    expect(last.summary).toMatch(/; 1 open connection is reset or cut off$/);
    expect((await run("director", "ipvsadm -Sn")).stdout.trim()).toBe("");
  });
});
