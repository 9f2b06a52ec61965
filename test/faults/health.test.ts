import { chmodSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Definition } from "../../providers/engine/define.js";
import { agentVersion, unit } from "../../src/shell/agent.js";
import { prelude } from "../../src/shell/prelude.js";
import { checkDefaults } from "../../src/values/health-check.js";
import { definitions } from "../support/fake/definitions.js";
import { fakeHost, resources } from "../support/fake/engine.js";
import { shells } from "../support/fake/fake-host.js";
import { findProgram } from "../support/fake/tree.js";
import { sendSignal } from "../support/send-signal.mts";
import { service, soon, Watched } from "./harness/watched.js";

const a = "192.168.10.11:80";
const b = "192.168.10.12:80";
const sorry = "192.168.0.5:80";
const sorryServer = { address: "192.168.0.5", port: 80, forwarding: "gatewaying", weight: 1 } as const;

function pair(
  changes: Parameters<Watched["watch"]>[0] = {},
  shell?: readonly string[],
  scheduling?: string,
): Watched {
  const host = new Watched(shell);
  host.declare({ [a]: 1, [b]: 2 }, service, true, scheduling);
  host.watch(changes);
  host.page(a, "OK");
  host.page(b, "OK");
  return host;
}

/** Starts the agent and waits until it has looked at the servers. */
async function started(host: Watched, ...health: string[]): Promise<Watched> {
  host.start();
  await soon(() => expect(host.lines("requests").length).toBeGreaterThan(3));
  await soon(() => expect(host.health()).toEqual(health.length > 0 ? health : [`${a} up`, `${b} up`]));
  return host;
}

describe.each(shells.map((shell) => [shell.join(" "), shell] as const))("the agent in %s", (_, shell) => {
  test.each([
    ["one curl for many", () => undefined],
    ["a curl for each", (host: Watched) => host.oldCurl()],
  ])(
    "takes a dead server out, and back in with its weight, and says so in the log: %s",
    async (_, prepare) => {
      const host = pair({}, shell);
      prepare(host);
      await started(host);
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
      expect(host.printed).toBe("");
    },
  );
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

test("without a sorry server the last one stays, unless the configuration removes it", async () => {
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
    expect(host.read("run/pulumi-lvs/health")).toMatch(
      /11:80\tdown\t.*\tthe page does not contain the text of check.body$/m,
    ),
  );
});

// a check that may take longer than its interval has a process of its own
const alone = { timeout: 30 };

test("one slow server delays no other", async () => {
  const host = pair(alone);
  host.page(a, "", 0);
  host.answer(a, "hangs\n");
  host.page(b, undefined);
  host.watch({ ...alone, lastServer: "remove" });
  host.start();
  await soon(() => expect(host.table()).toEqual([`${a} 1`]));
  // its first answer is still to come
  expect(host.read(`requests.${a}`)).toBe("x");
});

test("a check whose process is killed has failed, and says so", async () => {
  const host = pair({ fall: 1 });
  host.tool(
    "curl",
    "case $* in *192.168.10.12*) kill -9 $PPID;; esac\nprintf '\\n0.000000 000\\n'\nexit 28\n",
  );
  expect(await host.run("once")).toBe(0);
  expect(host.read("run/pulumi-lvs/health")).toMatch(/12:80\tdown\t.*\tno answer: curl ended with 137/m);
  expect(host.read("run/pulumi-lvs/health")).toMatch(/11:80\tdown\t.*\tno answer: curl ended with 28/m);
});

test("quiesce leaves the entry with weight 0", async () => {
  const host = await started(pair({ action: "quiesce" }));
  host.page(b, undefined);
  await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} 0`]));
  host.page(b, "OK");
  await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} 2`]));
});

test("below its quorum only the sorry server serves, and the way back is longer by the hysteresis", async () => {
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

/** Returns a host with one server in a slow start of four seconds, and the time on its clock. */
async function slowStarting() {
  const host = new Watched();
  host.declare({ [a]: 1, [b]: 100 });
  host.watch({ slowStart: 4 });
  host.page(a, "OK");
  const now = 1_790_000_000;
  host.clock(now);
  await started(host, `${a} up`, `${b} down`);
  host.page(b, "OK");
  await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} rising`]));
  return { host, now };
}

test("with a slow start the weight rises to what is declared", async () => {
  const { host, now } = await slowStarting();
  for (const [seconds, weight] of [
    [0, 1],
    [1, 25],
    [3, 75],
  ] as const) {
    host.clock(now + seconds);
    await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} ${weight}`]));
    expect(host.health()).toEqual([`${a} up`, `${b} rising`]);
  }
  host.clock(now + 4);
  await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} up`]));
  await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} 100`]));
});

test("a slow start begins anew if the clock is set back, and ends in its time", async () => {
  const { host, now } = await slowStarting();
  host.clock(now + 2);
  await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} 50`]));
  const back = now - 3600;
  host.clock(back);
  await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} 1`]));
  host.clock(back + 2);
  await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} 50`]));
  host.clock(back + 4);
  await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} 100`]));
  await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} up`]));
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

test.each(["-s wlc", "-s wrr -p 300 -M 255.255.255.0", "-s mh -b mh-fallback,mh-port"])(
  "a table that was flushed by hand is as declared again, but for who is down: %s",
  async (scheduling) => {
    const host = await started(pair({}, undefined, scheduling));
    host.page(b, undefined);
    await soon(() => expect(host.table()).toEqual([`${a} 1`]));
    host.write("ipvs", "");
    await soon(() =>
      expect(host.lines("ipvs")).toEqual([
        `-A -t ${service.slice(6)} ${scheduling}`,
        `-a -t ${service.slice(6)} -r ${a} -g -w 1`,
      ]),
    );
    expect(host.printed).toBe("");
  },
);

test("a weight that was changed by hand stays", async () => {
  const host = await started(pair());
  host.write("ipvs", host.read("ipvs").replace("-w 2", "-w 7"));
  const requested = host.lines("requests").length;
  await soon(() => expect(host.lines("requests").length).toBeGreaterThan(requested + 6));
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
    expect(host.read("run/pulumi-lvs/health")).toMatch(
      /11:80\tup\t[^\t]*\tcannot be checked: curl: not found$/m,
    ),
  );
  expect(host.table()).toEqual([`${a} 1`, `${b} 2`]);
});

test("a file that goes while it is to be read is no failure", async () => {
  const host = pair({ fall: 1 });
  const one = host.read("etc/pulumi-lvs/monitor.d/tcp-192.168.0.219:80");
  const gone = "etc/pulumi-lvs/monitor.d/second";
  host.write(gone, one);
  const awk = findProgram("awk");
  // awk has the name of a file that an update has just deleted
  host.tool(
    "awk",
    `case "$*" in *"/monitor.d/second "*) rm -f "$LVS_FAKE_ROOT/${gone}";; esac\nexec '${awk}' "$@"\n`,
  );
  host.page(b, undefined);
  host.start();
  await soon(() => expect(host.table()).toEqual([`${a} 1`]));
  expect(host.read(gone)).toBe("");
  expect(host.printed).toBe("");
});

test("a checker that is killed is started again", async () => {
  const host = pair(alone);
  const { pid } = host.start();
  await soon(() => expect(host.lines("requests").length).toBeGreaterThan(3));
  const copies = () =>
    host.children(pid as number).filter((one) => one.command.includes("pulumi-lvs/monitor"));
  let checkers = copies();
  // besides the two there may be one that is about to become a tool
  await soon(() => {
    checkers = copies();
    expect(checkers).toHaveLength(2);
  });
  for (const checker of checkers) sendSignal(checker.pid, "SIGKILL");
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

test("single servers may have other checks", async () => {
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

test("a server with another type of check inherits nothing of the common one", async () => {
  const host = pair({
    check: { ...checkDefaults(), port: 8080 },
    servers: { [b]: { type: "tcp" } },
  });
  host.page("192.168.10.11:8080", "OK");
  await started(host);
  expect(host.lines("requests").join("\n")).toMatch(/192\.168\.10\.12:80(?!\d)/);
  expect(host.lines("requests").join("\n")).not.toContain("192.168.10.12:8080");
});

test("behind a firewall mark too, where a server without a port is checked at 80", async () => {
  const host = new Watched();
  host.declare({ "192.168.10.11:0": 1, "192.168.10.12:0": 3 }, "fwmark://10");
  host.watch({}, "fwmark://10");
  host.page(a, "OK");
  await started(host, "192.168.10.11:0 up", "192.168.10.12:0 down");
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

test("once: before the VIP comes, each server is checked by as many tries as it takes, side by side", async () => {
  const host = pair({ sorryServer });
  host.page(b, undefined);
  expect(await host.run("once")).toBe(0);
  expect(host.table()).toEqual([`${a} 1`]);
  expect(host.health()).toEqual([`${a} up`, `${b} down`]);
  expect(host.read(`requests.${a}`)).toBe("x");
  expect(host.read(`requests.${b}`)).toBe("xxx");
});

describe("through the VIP", () => {
  const vip = "192.168.0.219:80";

  /** Both servers answer at the VIP, as long as the table has one that does: the fake curl knows no way there. */
  function ways(): Watched {
    const host = pair({ check: { ...checkDefaults(), through: "vip" } });
    host.withWays();
    host.page(vip, "OK");
    return host;
  }
  const blind = (reason: string) => (host: Watched) =>
    soon(() =>
      expect(host.read("run/pulumi-lvs/health")).toMatch(
        new RegExp(`11:80\\tup\\t[^\\t]*\\tcannot be checked: ${reason}$`, "m"),
      ),
    );
  const seeing = (host: Watched) =>
    soon(() => expect(host.read("run/pulumi-lvs/health")).not.toContain("cannot be checked"));
  const marked = (host: Watched) => host.lines("ipvs").filter((line) => line.startsWith("-A -f"));

  test("no server is checked while the firewall rules are gone, and the paths are set up anew", async () => {
    const host = await started(ways());
    await soon(() => expect(host.lines("rules")).toHaveLength(2));
    host.write("no-rules", "");
    host.write("rules", "");
    await blind("iptables: refused")(host);
    const requested = () => host.lines("requests").filter((line) => line.includes("//192.168.0.219"));
    // one may have been on its way
    const before = requested().length + 2;
    host.page(vip, undefined);
    const looked = host.lines("log").length;
    await soon(() => expect(host.lines("log").length).toBeGreaterThan(looked + 10));
    expect(requested().length).toBeLessThanOrEqual(before);
    await soon(() => expect(host.table()).toContain(`${b} 2`));
    host.page(vip, "OK");
    host.remove("no-rules");
    await soon(() => expect(host.lines("rules")).toHaveLength(2));
    await seeing(host);
    expect(marked(host)).toHaveLength(2);
  });

  test("a table without the ways, or a setting that was reset, is seen too", async () => {
    const host = await started(ways());
    host.write(
      "ipvs",
      host
        .lines("ipvs")
        .filter((line) => !line.includes("-f 12807"))
        .join("\n")
        .concat("\n"),
    );
    await soon(() => expect(marked(host)).toHaveLength(2));
    host.write("proc/sys/net/ipv4/conf/eth1/accept_local", "0\n");
    await soon(() => expect(host.read("proc/sys/net/ipv4/conf/eth1/accept_local")).toBe("1\n"));
    await seeing(host);
    expect(host.lines("rules")).toHaveLength(2);
  });

  test("what is missing for a VIP path is logged, and the path is there once nothing is missing", async () => {
    const host = ways();
    host.remove("tools/iptables");
    host.start();
    await blind("iptables: not found")(host);
    host.withWays();
    await soon(() => expect(host.lines("rules")).toHaveLength(2));
    await seeing(host);
  });

  test("a strict filter is no failure of servers: a message names where it would drop their answers", async () => {
    const host = ways();
    host.write("proc/sys/net/ipv4/conf/all/rp_filter", "1\n");
    host.page(vip, undefined);
    host.start();
    await blind("rp_filter is 1 on eth1, which does not have the VIP: it would drop the answers")(host);
    expect(host.lines("rules")).toEqual([]);
    host.page(vip, "OK");
    host.write("addresses.eth1", "3: eth1    inet 192.168.0.219/32 scope global eth1\n");
    await seeing(host);
    expect(host.lines("rules")).toHaveLength(2);
  });
});

describe("the last server", () => {
  test("is the last one that has a weight: one of weight 0 takes no clients over", async () => {
    const host = new Watched();
    host.declare({ [a]: 1, [b]: 0 });
    host.watch();
    for (const server of [a, b]) host.page(server, "OK");
    await started(host);
    host.page(a, undefined);
    await soon(() =>
      expect(host.read("run/pulumi-lvs/health")).toMatch(/11:80\tdown\t.*stays, because it is the last$/m),
    );
    expect(host.table()).toEqual([`${a} 1`, `${b} 0`]);
  });

  test("is there again where the sorry server goes while all are down", async () => {
    const host = await started(pair({ sorryServer }));
    host.page(a, undefined);
    host.page(b, undefined);
    await soon(() => expect(host.table()).toEqual([`${sorry} 1`]));
    host.watch();
    await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} 2`]));
    const commands = host.lines("log").filter((line) => /^ipvsadm -[ad] /.test(line));
    expect(commands.at(-1)).toBe(`ipvsadm -d -t ${service.slice(6)} -r ${sorry}`);
    await soon(() => expect(host.health()).toEqual([`${a} down`, `${b} down`]));
    host.page(b, "OK");
    await soon(() => expect(host.table()).toEqual([`${b} 2`]));
  });

  test("in maintenance says that no other server serves", async () => {
    const host = await started(pair());
    host.page(b, undefined);
    await soon(() => expect(host.table()).toEqual([`${a} 1`]));
    host.write(`etc/pulumi-lvs/maintenance/${a}`, "");
    await soon(() =>
      expect(host.read("run/pulumi-lvs/health")).toMatch(
        /11:80\tmaintenance\t[^\t]*\tno other server serves$/m,
      ),
    );
    expect(host.table()).toEqual([`${a} 0`]);
  });

  test("does not leave while the sorry server cannot come", async () => {
    const host = await started(pair({ sorryServer }));
    host.tool(
      "ipvsadm",
      `case "$*" in *'-r ${sorry} '*) [ -e "$LVS_FAKE_ROOT/room" ] || { echo 'no room' >&2; exit 2; };; esac
exec "$LVS_FAKE_BIN/ipvsadm" "$@"
`,
    );
    host.page(a, undefined);
    host.page(b, undefined);
    await soon(() => expect(host.health()).toEqual([`${a} down`, `${b} down`, `${sorry} sorry`]));
    await soon(() => expect(host.printed).toMatch(/-r 192\.168\.0\.5:80 .*: no room$/m));
    const looked = host.lines("log").length;
    await soon(() => expect(host.lines("log").length).toBeGreaterThan(looked + 10));
    // one of them may have left before the other was down
    expect(host.table().length).toBeGreaterThan(0);
    host.write("room", "");
    await soon(() => expect(host.table()).toEqual([`${sorry} 1`]));
  });
});

test("a result that cannot be written is tried again, and logged once", async () => {
  const host = await started(pair());
  // the status shows what is in the table as up before that is found
  await soon(() => expect(host.checks().filter((line) => line.startsWith("result\tup\t"))).toHaveLength(2));
  const number = host.checks().findIndex((line) => line.includes("192.168.10.12")) + 1;
  // a directory in the place of a file has no room, either
  host.write(`run/pulumi-lvs/checks/.${number}/in-the-way`, "");
  host.page(b, undefined);
  await soon(() => expect(host.printed).toMatch(/cannot be written: 192\.168\.10\.12:80 is down$/m));
  const requested = host.read(`requests.${b}`).length;
  await soon(() => expect(host.read(`requests.${b}`).length).toBeGreaterThan(requested + 3));
  expect(host.table()).toEqual([`${a} 1`, `${b} 2`]);
  host.remove(`run/pulumi-lvs/checks/.${number}`);
  await soon(() => expect(host.table()).toEqual([`${a} 1`]));
  expect(host.printed.trim().split("\n")).toHaveLength(1);
});

test("files of checks from an older agent are understood", async () => {
  const older = await started(pair());
  const host = pair();
  for (const [i, line] of older.checks().entries())
    host.write(`run/pulumi-lvs/checks/${i + 1}`, `${line.replace(/^result\t/, "verdict\t")}\n`);
  expect(host.checks().join()).toMatch(/^verdict\t.*verdict\t/);
  await started(host);
  expect(host.printed).toBe("");
});

test("where what was done cannot be remembered, the log is not written again and again", async () => {
  const host = await started(pair());
  // the status is written before what is remembered
  await soon(() => expect(host.read("run/pulumi-lvs/monitor")).toContain(b));
  host.write("run/pulumi-lvs/monitor.new/in-the-way", "");
  host.page(b, undefined);
  await soon(() => expect(host.table()).toEqual([`${a} 1`]));
  const looked = host.lines("log").length;
  await soon(() => expect(host.lines("log").length).toBeGreaterThan(looked + 10));
  expect(host.printed.trim()).toMatch(/^\S+\/run\/pulumi-lvs\/monitor: cannot be written$/);
  host.remove("run/pulumi-lvs/monitor.new");
  await soon(() => expect(host.lines("monitor.log")).toHaveLength(1));
  expect(host.read("monitor.log")).toContain("192.168.10.12 is gone.");
});

test("a weight of 1 leaves nothing to raise, which the status says", async () => {
  const host = new Watched();
  host.declare({ [a]: 1, [b]: 1 });
  host.watch({ slowStart: 60 });
  host.page(a, "OK");
  await started(host, `${a} up`, `${b} down`);
  host.page(b, "OK");
  await soon(() =>
    expect(host.read("run/pulumi-lvs/health")).toMatch(
      /12:80\tup\t[^\t]*\tno slow start: it needs a weight above 1$/m,
    ),
  );
  expect(host.table()).toEqual([`${a} 1`, `${b} 1`]);
});

describe("after a reboot", () => {
  /** What a boot leaves: what is under /run is gone. */
  const booted = (host: Watched) => host.remove("run/pulumi-lvs");

  test("a monitor without a record was to last until then, and the last one takes the agent along", async () => {
    const host = pair();
    const second = "tcp://192.168.0.220:80";
    host.watch({}, second);
    booted(host);
    const record = `70\tobject\tHealthMonitor ${second}/health\tp/s/n\tmonitor`;
    host.write("etc/pulumi-lvs/boot", `${host.read("etc/pulumi-lvs/boot")}${record}\n`);
    host.start();
    await soon(() => expect(host.read(`etc/pulumi-lvs/monitor.d/${service.replace("://", "-")}`)).toBe(""));
    // it looks at the table once it has done that, and without the lock
    await soon(() => expect(host.lines("log")).toContain("ipvsadm -Sn"));
    expect(host.read(`etc/pulumi-lvs/monitor.d/${second.replace("://", "-")}`)).not.toBe("");
    host.write("etc/pulumi-lvs/boot", host.read("etc/pulumi-lvs/boot").replace(`${record}\n`, ""));
    expect(await host.run("once")).toBe(0);
    expect(host.read("etc/pulumi-lvs/monitor")).toBe("");
    // the one that runs may look at the table meanwhile
    expect(host.lines("log").filter((line) => line.startsWith("systemctl"))).toEqual([
      "systemctl daemon-reload",
      "systemctl --no-block stop pulumi-lvs-monitor.service",
    ]);
    expect(host.printed).toBe("");
  });

  test("a monitor is whose it was, so that a refresh has nothing to say and no other stack takes it", async () => {
    const fake = fakeHost();
    const monitors = resources(definitions.get("health-monitor") as Definition, fake);
    const image = fake.image();
    const untouched = fake.snapshot();
    const { props } = await monitors.create({ service });
    await fake.reboot(image);
    expect(await fake.start()).toBe("");
    await fake.newRun();
    const { props: found } = await monitors.read(props);
    expect(found).toEqual(props);
    await monitors.delete(props);
    expect(fake.snapshot()).toBe(untouched);
  });
});

test("an agent is another where its functions are", () => {
  expect(agentVersion(prelude)).toBe(agentVersion(prelude));
  expect(agentVersion(`${prelude}#`)).not.toBe(agentVersion(prelude));
  // systemd never gives up on it
  expect(unit).toMatch(/^\[Unit\]\n([^[\n]+\n)*StartLimitIntervalSec=0\n/);
});

test("checks take no more than a part of the memory, also at boot, and only root reads what they are", async () => {
  const fake = fakeHost();
  const monitors = resources(definitions.get("health-monitor") as Definition, fake);
  fake.write("etc/pulumi-lvs/maintenance/192.168.10.11", "");
  chmodSync(join(fake.root, "etc/pulumi-lvs"), 0o755);
  await monitors.create({ service });
  expect(statSync(join(fake.root, "etc/pulumi-lvs")).mode & 0o777).toBe(0o700);
  for (const name of ["pulumi-lvs-monitor", "pulumi-lvs"])
    expect(fake.read(`etc/systemd/system/${name}.service`)).toMatch(
      /^\[Service\]\n([^[\n]+\n)*MemoryMax=25%\nTasksMax=4096\nOOMPolicy=continue\n/m,
    );
  // A restore goes on if its journal breaks off.
  expect(fake.read("etc/systemd/system/pulumi-lvs-monitor.service")).toMatch(/^IgnoreSIGPIPE=no$/m);
  expect(fake.read("etc/systemd/system/pulumi-lvs.service")).not.toContain("IgnoreSIGPIPE");
});
