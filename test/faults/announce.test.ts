import { describe, expect, test } from "vitest";
import { shells } from "../support/fake/fake-host.js";
import { soon, Watched } from "./harness/watched.js";

const a = "192.168.10.11:80";
const b = "192.168.10.12:80";
const secure = "tcp://192.168.0.219:443";
const announce = { address: "192.168.0.219", table: 219, weight: 1 };
/** Routes of other programs: in the same table, of the same protocol elsewhere, and of both, but of another form. */
const others = [
  "4 219 192.168.0.220 - lo - 0 12",
  "4 219 192.168.0.221 - lo - 0",
  "4 219 192.168.0.222 192.168.0.1 eth0 - 0 219",
  "6 main 2001:db8::220 - lo - 1024 219",
];

/** Routes besides those of other programs, as `ADDRESS TABLE`. */
const routes = (host: Watched) =>
  host
    .lines("routes")
    .filter((line) => !others.includes(line))
    .map((line) => /^[46] (\S+) (\S+) - lo - \d+ 219$/.exec(line)?.slice(1).reverse().join(" ") ?? line);
const announced = ["192.168.0.219 219"];
const own = "4 219 192.168.0.219 - lo - 0 219";
const maintain = (host: Watched, server: string) =>
  host.write(`etc/pulumi-lvs/maintenance/${server.slice(0, -3)}`, "");
const release = (host: Watched, server: string) =>
  host.remove(`etc/pulumi-lvs/maintenance/${server.slice(0, -3)}`);
const commands = (host: Watched) =>
  host.lines("log").filter((line) => /^(ipvsadm -[aed]|ip -[46] route) /.test(line));
const readings = (host: Watched) => host.lines("log").filter((line) => line.startsWith("ip -N ")).length;

/** A director with a service of two servers, the second of which weighs 2. */
function director(
  changes: Parameters<Watched["watch"]>[0] = { announce },
  shell?: readonly string[],
): Watched {
  const host = new Watched(shell);
  host.write("routes", `${others.join("\n")}\n`);
  host.declare({ [a]: 1, [b]: 2 });
  host.watch(changes);
  host.page(a, "OK");
  host.page(b, "OK");
  return host;
}

/** Waits until the agent has evaluated several times more, as the readings of the routes show. */
async function later(host: Watched): Promise<void> {
  const before = readings(host);
  await soon(() => expect(readings(host)).toBeGreaterThan(before + 3));
}

describe.each(shells.map((shell) => [shell.join(" "), shell] as const))(
  "an announcement in %s",
  (_, shell) => {
    test("comes with results that reach its weight, and goes before the servers do", async () => {
      const host = director({ announce: { ...announce, weight: 2 }, lastServer: "remove" }, shell);
      host.page(b, undefined);
      host.start();
      await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} down`]));
      await later(host);
      expect(routes(host)).toEqual([]);
      host.page(b, "OK");
      await soon(() => expect(routes(host)).toEqual(announced));
      expect(host.table()).toEqual([`${a} 1`, `${b} 2`]);
      host.page(b, undefined);
      await soon(() => expect(host.table()).toEqual([`${a} 1`]));
      expect(commands(host).slice(-4)).toEqual([
        `ipvsadm -a -t 192.168.0.219:80 -r ${b} -g -w 2`,
        "ip -4 route add 192.168.0.219/32 dev lo table 219 proto 219",
        "ip -4 route del 192.168.0.219/32 dev lo table 219 proto 219",
        `ipvsadm -d -t 192.168.0.219:80 -r ${b}`,
      ]);
      expect(host.lines("routes")).toEqual(others);
      expect(host.printed).toBe(
        "192.168.0.219 is announced in table 219\n192.168.0.219 is withdrawn from table 219\n",
      );
    });
  },
);

test("a server without a result withdraws no announcement that was there, and makes none", async () => {
  const host = director({ announce, interval: 1, timeout: 30 });
  for (const server of [a, b]) host.answer(server, "hangs\n");
  const agent = host.start();
  await later(host);
  expect(routes(host)).toEqual([]);
  agent.kill("SIGKILL");
  // As an agent before it left it.
  host.write("routes", `${[...others, own].join("\n")}\n`);
  host.start();
  await later(host);
  expect(routes(host)).toEqual(announced);
  for (const server of [a, b]) host.page(server, "OK");
  await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} up`]));
  expect(commands(host)).toEqual([]);
  expect(host.printed).toBe("");
});

test("servers in maintenance go on until routers have heard of the withdrawal", async () => {
  const host = director();
  host.clock(1000);
  host.start();
  await soon(() => expect(routes(host)).toEqual(announced));
  maintain(host, a);
  await soon(() => expect(host.table()).toEqual([`${a} 0`, `${b} 2`]));
  expect(routes(host)).toEqual(announced);
  maintain(host, b);
  await soon(() => expect(routes(host)).toEqual([]));
  await later(host);
  host.clock(1004);
  await later(host);
  expect(host.table()).toEqual([`${a} 0`, `${b} 2`]);
  expect(host.health()).toEqual([`${a} maintenance`, `${b} maintenance`]);
  // In that time the first one is back.
  release(host, a);
  await soon(() => expect(routes(host)).toEqual(announced));
  await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} maintenance`]));
  expect(host.table()).toEqual([`${a} 1`, `${b} 0`]);
  maintain(host, a);
  await soon(() => expect(routes(host)).toEqual([]));
  await later(host);
  host.clock(1008);
  await later(host);
  expect(host.table()).toEqual([`${a} 1`, `${b} 0`]);
  host.clock(1009);
  await soon(() => expect(host.table()).toEqual([`${a} 0`, `${b} 0`]));
  release(host, b);
  await soon(() => expect(routes(host)).toEqual(announced));
  expect(commands(host).slice(-2)).toEqual([
    `ipvsadm -e -t 192.168.0.219:80 -r ${b} -g -w 2`,
    "ip -4 route add 192.168.0.219/32 dev lo table 219 proto 219",
  ]);
});

test("a route that cannot be deleted delays maintenance once, and not for ever", async () => {
  const host = director();
  host.clock(1000);
  host.tool(
    "ip",
    `case $* in *' del '*) echo 'No buffer space' >&2; exit 2;; esac\nexec "$LVS_FAKE_BIN/ip" "$@"\n`,
  );
  host.start();
  await soon(() => expect(routes(host)).toEqual(announced));
  maintain(host, a);
  await soon(() => expect(host.table()).toEqual([`${a} 0`, `${b} 2`]));
  maintain(host, b);
  await soon(() => expect(host.printed).toMatch(/route del .*: No buffer space$/m));
  host.clock(1004);
  await later(host);
  expect(host.table()).toEqual([`${a} 0`, `${b} 2`]);
  host.clock(1005);
  await soon(() => expect(host.table()).toEqual([`${a} 0`, `${b} 0`]));
  // With a route that cannot be deleted, a monitor is not deleted either.
  expect(await host.forget()).toBe(1);
});

test("no route is added before the restore of a boot has ended", async () => {
  const host = director();
  host.write("run/pulumi-lvs/restored.end", "90\n");
  expect(await host.run("once")).toBe(0);
  expect(host.health()).toEqual([`${a} up`, `${b} up`]);
  host.start();
  await soon(() => expect(host.printed).not.toBe(""));
  await later(host);
  expect(commands(host)).toEqual([]);
  expect(host.printed).toBe(
    "192.168.0.219 is not announced until pulumi-lvs.service has restored all records\n",
  );
  host.remove("run/pulumi-lvs/restored.end");
  await soon(() => expect(routes(host)).toEqual(announced));
});

test("routes that could not be read are read again, and without them no monitor that announces is deleted", async () => {
  const host = director({});
  // Of a monitor that announced until just now.
  host.write("routes", `${[...others, own].join("\n")}\n`);
  const unreadable = 'echo x >>"$LVS_FAKE_ROOT/tries"; exit 1\n';
  host.tool("ip", unreadable);
  const agent = host.start();
  await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} up`]));
  expect(host.printed).toBe("");
  const readable = 'exec "$LVS_FAKE_BIN/ip" "$@"\n';
  host.tool("ip", readable);
  await soon(() => expect(routes(host)).toEqual([]));
  host.watch({ announce });
  await soon(() => expect(routes(host)).toEqual(announced));
  agent.kill("SIGKILL");
  host.tool("ip", unreadable);
  expect(await host.forget()).toBe(1);
  expect(host.printed).toMatch(/^no route is changed now: ip route show: $/m);
  host.watch({ announce });
  host.tool("ip", readable);
  host.tool("ipvsadm", "exit 1\n");
  expect(await host.forget()).toBe(1);
  expect(routes(host)).toEqual(announced);
  host.watch({ announce });
  host.tool("ipvsadm", `exec "$LVS_FAKE_BIN/ipvsadm" "$@"\n`);
  // There is no process for it at one moment.
  host.tool(
    "ip",
    `[ -e "$LVS_FAKE_ROOT/requests.once" ] || { : >"$LVS_FAKE_ROOT/requests.once"; exit 1; }\n${readable}`,
  );
  expect(await host.forget()).toBe(0);
  expect(routes(host)).toEqual([]);
});

test("an address of two services is there while both reach their weight, and others do not matter", async () => {
  const host = director();
  host.declare({ "192.168.10.13:443": 1 }, secure);
  host.declare({ "[2001:db8::11]:53": 1 }, "tcp://[2001:db8::53]:53");
  host.watch({ announce, lastServer: "remove" }, secure);
  // The weight of 0 needs no server.
  host.watch(
    { announce: { address: "2001:db8::53", table: 4294967295, weight: 0 } },
    "tcp://[2001:db8::53]:53",
  );
  host.start();
  await soon(() => expect(routes(host)).toEqual(["2001:db8::53 4294967295"]));
  await soon(() => expect(host.health()).toContain("192.168.10.13:443 down"));
  host.page("192.168.10.13:443", "OK");
  await soon(() => expect(routes(host)).toEqual(["2001:db8::53 4294967295", "192.168.0.219 219"]));
  host.page("192.168.10.13:443", undefined);
  await soon(() => expect(routes(host)).toEqual(["2001:db8::53 4294967295"]));
  // What is left of two services, another table, and nothing.
  expect(await host.forget(secure)).toBe(0);
  await soon(() => expect(routes(host)).toEqual(["2001:db8::53 4294967295", "192.168.0.219 219"]));
  host.watch({ announce: { ...announce, table: 7 } });
  await soon(() => expect(routes(host)).toEqual(["2001:db8::53 4294967295", "192.168.0.219 7"]));
  host.watch({});
  await soon(() => expect(routes(host)).toEqual(["2001:db8::53 4294967295"]));
  expect(host.table()).toContain(`${a} 1`);
  expect(await host.forget("tcp://[2001:db8::53]:53")).toBe(0);
  expect(host.lines("routes")).toEqual(others);
});

test("the routes are read at each turn only where a monitor announces", async () => {
  const host = director({});
  host.start();
  await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} up`]));
  host.page(b, undefined);
  await soon(() => expect(host.table()).toEqual([`${a} 1`]));
  expect(readings(host)).toBe(1);
  host.watch({ announce });
  await soon(() => expect(routes(host)).toEqual(announced));
});

test("routes that cannot be read or added are reported once, and the servers are checked as ever", async () => {
  const host = director();
  host.tool("ip", "echo x >>\"$LVS_FAKE_ROOT/tries\"; echo 'Cannot open netlink socket' >&2; exit 1\n");
  host.start();
  await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} up`]));
  host.page(b, undefined);
  await soon(() => expect(host.table()).toEqual([`${a} 1`]));
  await soon(() => expect(host.lines("tries").length).toBeGreaterThan(5));
  expect(host.printed).toBe("no route is changed now: ip route show: Cannot open netlink socket\n");
  // Another program has the route.
  host.write("routes", "4 219 192.168.0.219 - lo - 0 12\n");
  host.tool("ip", `exec "$LVS_FAKE_BIN/ip" "$@"\n`);
  await soon(() => expect(host.printed).toMatch(/File exists/));
  await later(host);
  expect(host.printed.split("\n").slice(1)).toEqual([
    "ip -4 route add 192.168.0.219/32 dev lo table 219 proto 219: RTNETLINK answers: File exists",
    "",
  ]);
  expect(host.lines("routes")).toEqual(["4 219 192.168.0.219 - lo - 0 12"]);
  // That is no reason to write the table anew.
  host.write("ipvs", host.read("ipvs").replace("-w 1", "-w 7"));
  await later(host);
  expect(host.table()).toEqual([`${a} 7`]);
});

test("a service is not announced while its server cannot be added", async () => {
  const host = director();
  host.page(b, undefined);
  host.watch({ announce: { ...announce, weight: 2 } });
  host.start();
  await soon(() => expect(host.table()).toEqual([`${a} 1`]));
  host.tool(
    "ipvsadm",
    `case $1 in -a) echo 'Memory allocation problem' >&2; exit 1;; esac\nexec "$LVS_FAKE_BIN/ipvsadm" "$@"\n`,
  );
  host.page(b, "OK");
  await soon(() => expect(host.printed).toMatch(/Memory allocation problem/));
  await later(host);
  expect(routes(host)).toEqual([]);
  host.tool("ipvsadm", `exec "$LVS_FAKE_BIN/ipvsadm" "$@"\n`);
  await soon(() => expect(routes(host)).toEqual(announced));
});
