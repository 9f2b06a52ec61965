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
      await soon(() => expect(routes(host)).toEqual(["192.168.0.219 219"]));
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
      expect(host.said).toBe(
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
  host.write("routes", `${[...others, "4 219 192.168.0.219 - lo - 0 219"].join("\n")}\n`);
  host.start();
  await later(host);
  expect(routes(host)).toEqual(["192.168.0.219 219"]);
  for (const server of [a, b]) host.page(server, "OK");
  await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} up`]));
  expect(commands(host)).toEqual([]);
  expect(host.said).toBe("");
});

test("servers in maintenance go on until routers have heard of the withdrawal", async () => {
  const host = director();
  host.clock(1000);
  host.start();
  await soon(() => expect(routes(host)).toEqual(["192.168.0.219 219"]));
  host.write("etc/pulumi-lvs/maintenance/192.168.10.11", "");
  await soon(() => expect(host.table()).toEqual([`${a} 0`, `${b} 2`]));
  expect(routes(host)).toEqual(["192.168.0.219 219"]);
  host.write("etc/pulumi-lvs/maintenance/192.168.10.12", "");
  await soon(() => expect(routes(host)).toEqual([]));
  await later(host);
  host.clock(1004);
  await later(host);
  expect(host.table()).toEqual([`${a} 0`, `${b} 2`]);
  host.clock(1005);
  await soon(() => expect(host.table()).toEqual([`${a} 0`, `${b} 0`]));
  host.remove("etc/pulumi-lvs/maintenance/192.168.10.12");
  await soon(() => expect(routes(host)).toEqual(["192.168.0.219 219"]));
  expect(commands(host).slice(-2)).toEqual([
    `ipvsadm -e -t 192.168.0.219:80 -r ${b} -g -w 2`,
    "ip -4 route add 192.168.0.219/32 dev lo table 219 proto 219",
  ]);
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
  await soon(() => expect(routes(host)).toEqual(["192.168.0.219 219"]));
});

test("routes that cannot be read or added are reported once, and the servers are checked as ever", async () => {
  const host = director();
  host.tool("ip", "echo x >>\"$LVS_FAKE_ROOT/tries\"; echo 'Cannot open netlink socket' >&2; exit 1\n");
  host.start();
  await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} up`]));
  host.page(b, undefined);
  await soon(() => expect(host.table()).toEqual([`${a} 1`]));
  await soon(() => expect(host.lines("tries").length).toBeGreaterThan(5));
  expect(host.said).toBe("no route is changed now: ip route show: Cannot open netlink socket\n");
  // Another program has the route.
  host.write("routes", "4 219 192.168.0.219 - lo - 0 12\n");
  host.tool("ip", `exec "$LVS_FAKE_BIN/ip" "$@"\n`);
  await soon(() => expect(host.said).toMatch(/File exists/));
  await later(host);
  expect(host.said.split("\n").slice(1)).toEqual([
    "ip -4 route add 192.168.0.219/32 dev lo table 219 proto 219: RTNETLINK answers: File exists",
    "",
  ]);
  expect(host.lines("routes")).toEqual(["4 219 192.168.0.219 - lo - 0 12"]);
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
  await soon(() => expect(host.said).toMatch(/Memory allocation problem/));
  await later(host);
  expect(routes(host)).toEqual([]);
  host.tool("ipvsadm", `exec "$LVS_FAKE_BIN/ipvsadm" "$@"\n`);
  await soon(() => expect(routes(host)).toEqual(["192.168.0.219 219"]));
});
