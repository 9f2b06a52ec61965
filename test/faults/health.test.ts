import { describe, expect, test } from "vitest";
import { checkDefaults } from "../../src/health/check.js";
import { shells } from "../fake/fake-host.js";
import { service, soon, Watched } from "./watched.js";

const a = "192.168.10.11:80";
const b = "192.168.10.12:80";
const sorry = "192.168.0.5:80";
const sorryServer = { address: "192.168.0.5", port: 80, forwarding: "gatewaying", weight: 1 } as const;

function pair(changes: Parameters<Watched["watch"]>[0] = {}, shell?: readonly string[]): Watched {
  const host = new Watched(shell);
  host.declare({ [a]: 1, [b]: 2 });
  host.watch(changes);
  host.page(a, "OK");
  host.page(b, "OK");
  return host;
}

/** Starts the agent and waits until it has looked at the servers. */
async function started(host: Watched, ...health: string[]): Promise<Watched> {
  host.start();
  await soon(() => expect(host.lines("asked").length).toBeGreaterThan(3));
  await soon(() => expect(host.health()).toEqual(health.length > 0 ? health : [`${a} up`, `${b} up`]));
  return host;
}

describe.each(shells.map((shell) => [shell.join(" "), shell] as const))("the agent in %s", (_, shell) => {
  test("takes a dead server out, and back in with its weight, and says so in the log", async () => {
    const host = await started(pair({}, shell));
    host.page(b, undefined);
    await soon(() => expect(host.table()).toEqual([`${a} 1`]));
    await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} down`]));
    expect(host.read("run/pulumi-lvs/health")).toMatch(
      /192\.168\.10\.12:80\tdown\t\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\tno answer: Failed to connect to 192\.168\.10\.12:80: refused$/m,
    );
    host.page(b, "fine: OK!");
    await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} 2`]));
    await soon(() =>
      expect(host.read("monitor.log")).toMatch(
        /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d), 192\.168\.10\.12 is gone\.\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d, 192\.168\.10\.12 is back\.\n$/,
      ),
    );
    expect(host.said).toBe("");
  });
});

test("the sorry server goes in before the last member leaves, and out after the first is back", async () => {
  const host = await started(pair({ sorryServer }));
  host.page(a, undefined);
  host.page(b, undefined);
  await soon(() => expect(host.table()).toEqual([`${sorry} 1`]));
  await soon(() => expect(host.health()).toEqual([`${a} down`, `${b} down`, `${sorry} sorry`]));
  host.page(a, "OK");
  await soon(() => expect(host.table()).toEqual([`${a} 1`]));
  const commands = host.lines("log").filter((line) => /^ipvsadm -[ad] /.test(line));
  const at = (text: string) => commands.findIndex((line) => line.startsWith(`ipvsadm ${text}`));
  expect(at(`-a -t ${service.slice(6)} -r ${sorry}`)).toBeLessThan(
    Math.max(at(`-d -t ${service.slice(6)} -r ${a}`), at(`-d -t ${service.slice(6)} -r ${b}`)),
  );
  expect(at(`-a -t ${service.slice(6)} -r ${a}`)).toBeLessThan(at(`-d -t ${service.slice(6)} -r ${sorry}`));
});

test("without a sorry server the last one stays, unless it is told to go", async () => {
  const host = await started(pair());
  host.page(a, undefined);
  await soon(() => expect(host.table()).toEqual([`${b} 2`]));
  host.page(b, undefined);
  await soon(() =>
    expect(host.read("run/pulumi-lvs/health")).toMatch(/12:80\tdown\t.*stays, because it is the last$/m),
  );
  expect(host.table()).toEqual([`${b} 2`]);
  host.watch({ lastServer: "remove" });
  await soon(() => expect(host.table()).toEqual([]));
});

test("a status or a page that is not as it must be is a failure, and says which", async () => {
  const host = await started(pair());
  host.page(a, "OK", 503);
  await soon(() => expect(host.read("run/pulumi-lvs/health")).toMatch(/11:80\tdown\t.*\tstatus 503$/m));
  host.page(a, "OK");
  await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} up`]));
  host.page(a, "KO");
  await soon(() =>
    expect(host.read("run/pulumi-lvs/health")).toMatch(/11:80\tdown\t.*\tthe page does not contain OK$/m),
  );
});

test("one slow server delays no other", async () => {
  const host = pair();
  host.page(a, "", 0);
  host.write(`web/${a}`, "hangs\n");
  host.page(b, undefined);
  host.watch({ lastServer: "remove" });
  const begun = Date.now();
  host.start();
  await soon(() => expect(host.table()).toEqual([`${a} 1`]));
  expect(Date.now() - begun).toBeLessThan(3 * 2000);
});

test("quiesce leaves the entry with weight 0", async () => {
  const host = await started(pair({ action: "quiesce" }));
  host.page(b, undefined);
  await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} 0`]));
  host.page(b, "OK");
  await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} 2`]));
});

test("below its quorum nobody serves but the sorry server, and the way back is longer by the hysteresis", async () => {
  const host = new Watched();
  const third = "192.168.10.13:80";
  host.declare({ [a]: 1, [b]: 1, [third]: 1 });
  host.watch({ sorryServer, quorum: { weight: 2, hysteresis: 1 } });
  for (const server of [a, b, third]) host.page(server, "OK");
  await started(host, `${a} up`, `${b} up`, `${third} up`);
  host.page(a, undefined);
  host.page(b, undefined);
  await soon(() => expect(host.table()).toEqual([`${third} 1`]));
  host.page(third, undefined);
  await soon(() => expect(host.table()).toEqual([`${sorry} 1`]));
  host.page(b, "OK");
  host.page(third, "OK");
  await soon(() =>
    expect(host.read("run/pulumi-lvs/health")).toMatch(
      /13:80\tdown\t.*\tthe quorum of 2 is not reached: 2$/m,
    ),
  );
  expect(host.table()).toEqual([`${sorry} 1`]);
  host.page(a, "OK");
  await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} 1`, `${third} 1`]));
});

test("with a slow start the weight rises to what is declared", async () => {
  const host = new Watched();
  host.declare({ [a]: 1, [b]: 100 });
  host.watch({ slowStart: 4 });
  host.page(a, "OK");
  await started(host, `${a} up`, `${b} down`);
  host.page(b, "OK");
  await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} rising`]));
  const seen = new Set<number>();
  await soon(() => {
    const [, weight] = (host.table()[1] ?? "x 0").split(" ");
    seen.add(Number(weight));
    expect(host.health()).toEqual([`${a} up`, `${b} up`]);
  });
  expect(host.table()).toEqual([`${a} 1`, `${b} 100`]);
  const steps = [...seen].filter((weight) => weight > 0 && weight < 100);
  expect(steps.length).toBeGreaterThanOrEqual(2);
  expect(steps).toEqual([...steps].sort((x, y) => x - y));
});

test("a maintenance file gives weight 0, by address or by address and port, and no line in the log", async () => {
  const host = await started(pair());
  for (const name of ["192.168.10.12", b]) {
    host.write(`etc/pulumi-lvs/maintenance/${name}`, "");
    await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} 0`]));
    await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} maintenance`]));
    host.remove(`etc/pulumi-lvs/maintenance/${name}`);
    await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} 2`]));
    await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} up`]));
  }
  expect(host.read("monitor.log")).toBe("");
});

test("a table that was flushed by hand is as declared again, but for who is down", async () => {
  const host = await started(pair());
  host.page(b, undefined);
  await soon(() => expect(host.table()).toEqual([`${a} 1`]));
  host.write("ipvs", "");
  await soon(() =>
    expect(host.lines("ipvs")).toEqual([
      `-A -t ${service.slice(6)} -s wlc`,
      `-a -t ${service.slice(6)} -r ${a} -g -w 1`,
    ]),
  );
});

test("a weight that was changed by hand stays", async () => {
  const host = await started(pair());
  host.write("ipvs", host.read("ipvs").replace("-w 2", "-w 7"));
  const asked = host.lines("asked").length;
  await soon(() => expect(host.lines("asked").length).toBeGreaterThan(asked + 6));
  expect(host.table()).toEqual([`${a} 1`, `${b} 7`]);
});

test("a server that is drained is let go, and never comes back by itself", async () => {
  const host = await started(pair());
  host.write("ipvs", host.read("ipvs").replace("-w 2", "-w 0"));
  host.write("run/pulumi-lvs/draining", `${service}\t${b}\t1790000000\n`);
  host.page(b, undefined);
  await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} down`]));
  host.page(b, "OK");
  await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} up`]));
  expect(host.table()).toEqual([`${a} 1`, `${b} 0`]);
});

test("without curl the status says so, and nothing changes", async () => {
  const host = await started(pair());
  host.remove("tools/curl");
  await soon(() =>
    expect(host.read("run/pulumi-lvs/health")).toMatch(/11:80\tup\t[^\t]*\tnot checked: curl: not found$/m),
  );
  expect(host.table()).toEqual([`${a} 1`, `${b} 2`]);
});

test("a log that cannot be written to stops nothing, and the journal gets the line", async () => {
  const host = await started(pair({ log: "/dev/full" }));
  host.page(b, undefined);
  await soon(() => expect(host.table()).toEqual([`${a} 1`]));
  host.page(b, "OK");
  await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} 2`]));
  expect(host.said).toMatch(/^\/dev\/full: cannot be written: .*, 192\.168\.10\.12 is gone\.$/m);
});

test("a checker that is killed is started again", async () => {
  const host = pair();
  const { pid } = host.start();
  await soon(() => expect(host.lines("asked").length).toBeGreaterThan(3));
  const copies = () =>
    host.children(pid as number).filter((one) => one.command.includes("pulumi-lvs/monitor"));
  let checkers = copies();
  // besides the two there may be one that is about to become a tool
  await soon(() => {
    checkers = copies();
    expect(checkers).toHaveLength(2);
  });
  for (const checker of checkers) process.kill(checker.pid, "SIGKILL");
  host.page(b, undefined);
  await soon(() => expect(host.table()).toEqual([`${a} 1`]));
});

test("two services that share a server share its check, and another check is another", async () => {
  const host = pair();
  const second = "tcp://192.168.0.220:80";
  host.declare({ [a]: 5, [b]: 5 }, second);
  host.watch({}, second);
  await started(host, `${a} up`, `${b} up`, `${a} up`, `${b} up`);
  const checks = () => host.checks().map((line) => line.split("\t").slice(3, 5).join(" "));
  expect(checks().sort()).toEqual(["address=192.168.10.11 port=80", "address=192.168.10.12 port=80"]);
  host.page(b, undefined);
  await soon(() => expect(host.table()).toEqual([`${a} 1`, `${a} 5`]));
  host.watch({ check: { ...checkDefaults(), path: "/other" } }, second);
  await soon(() => expect(checks()).toHaveLength(4));
});

test("single servers may be asked otherwise", async () => {
  const host = pair({
    servers: {
      [b]: {
        type: "command",
        command: 'test "$ADDRESS:$PORT" = 192.168.10.12:80 && test ! -e "$LVS_FAKE_ROOT/broken"',
      },
    },
  });
  await started(host);
  host.page(b, undefined);
  host.write("broken", "");
  await soon(() =>
    expect(host.read("run/pulumi-lvs/health")).toMatch(/12:80\tdown\t.*\tthe command ended with 1$/m),
  );
  host.remove("broken");
  await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} up`]));
});

test("behind a firewall mark too, where a server without a port is asked at 80", async () => {
  const host = new Watched();
  host.declare({ "192.168.10.11:0": 1, "192.168.10.12:0": 3 }, "fwmark://10");
  host.watch({}, "fwmark://10");
  host.page(a, "OK");
  await started(host, "192.168.10.11:0 up", "192.168.10.12:0 up");
  await soon(() =>
    expect(host.lines("ipvs")).toEqual(["-A -f 10 -s wlc", "-a -f 10 -r 192.168.10.11:0 -g -w 1"]),
  );
  host.page(b, "OK");
  await soon(() => expect(host.lines("ipvs")).toContain("-a -f 10 -r 192.168.10.12:0 -g -w 3"));
});

test("a monitor that goes gives back what it took, and takes out its sorry server", async () => {
  const host = await started(pair({ sorryServer }));
  host.page(a, undefined);
  host.page(b, undefined);
  await soon(() => expect(host.table()).toEqual([`${sorry} 1`]));
  expect(await host.forget()).toBe(0);
  expect(host.table()).toEqual([`${a} 1`, `${b} 2`]);
  await soon(() => expect(host.checks()).toEqual([]));
  expect(host.health()).toEqual([]);
});

test("once: before the VIP comes, each server is judged by as many tries as it takes, side by side", async () => {
  const host = pair({ sorryServer });
  host.page(b, undefined);
  expect(await host.run("once")).toBe(0);
  expect(host.table()).toEqual([`${a} 1`]);
  expect(host.health()).toEqual([`${a} up`, `${b} down`]);
  expect(host.read(`asked.${a}`)).toBe("x");
  expect(host.read(`asked.${b}`)).toBe("xxx");
});
