import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { all } from "../support/machines/command.mts";
import { power, run, waitForSsh } from "../support/machines/lab.mts";
import { addressed } from "./addressed.mts";
import { tableOf } from "./host-state.mts";
import {
  answered,
  between,
  connect,
  type Director,
  families,
  groupOf,
  type Held,
  hold,
  names,
  percent,
  servers,
  shares,
  stop,
  untilRouted,
} from "./router.mts";
import { disposing, onLab, patience, waitOn } from "./setup.mts";
import { Stack } from "./stack.mts";

/** A third of the 150 clients of a family is expected. By chance a share is below this one in less than one of a million runs. */
const leastOfThird = 0.15;

/** The code of a section of docs/ecmp.md. With `lead`, the first one after that text. */
async function recipe(heading: string, lead = ""): Promise<string> {
  const docs = await readFile(join(import.meta.dirname, "../../docs/ecmp.md"), "utf8");
  const [, section = ""] = docs.split(`\n## ${heading}\n`);
  const [, code] = /```\w*\n([\s\S]*?)```/.exec(section.slice(section.indexOf(lead))) ?? [];
  if (code === undefined) throw new Error(`docs/ecmp.md has no code in ${heading}`);
  return code;
}

/** Replaces a text, which must be there. */
function replaced(text: string, from: string, to: string): string {
  expect(text).toContain(from);
  return text.replaceAll(from, to);
}

/** The program with names of its own, IPv6 addresses, and the VIP on a dummy. */
const ofIPv6 = (program: string): string =>
  [
    ["}-", "}-six-"],
    ["198.51.100.10", "2001:db8:100::10"],
    ['const address = { connection, interface: "lo"', 'const address = { connection, interface: "dummy0"'],
  ]
    .reduce((text, [from = "", to = ""]) => replaced(text, from, to), program)
    .replace(/192\.168\.0\.(23\d):/g, "[fd00:77::$1]:");

/** Makes dummy0, now and at each boot before what is declared. */
const dummy = `cat >/etc/systemd/system/dummy0.service <<'UNIT'
[Unit]
Before=pulumi-lvs.service

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'ip link show dummy0 >/dev/null 2>&1 || ip link add dummy0 type dummy; ip link set dummy0 up'

[Install]
WantedBy=multi-user.target
UNIT
systemctl enable -q --now dummy0 && sync`;

/** The program of docs/ecmp.md for both families. Its servers are prepared. */
async function programs(): Promise<string> {
  const alone = replaced(await recipe("Directors"), '["web1", "web2"]', "[]");
  const hosts = names.map((name) => `"${name}"`).join(", ");
  const program = replaced(alone, '"director1", "director2", "director3"', hosts);
  return `{\n${program}}\n{\n${ofIPv6(program)}}\n`;
}

/** The configuration of the first director for another one. */
const ofDirector = (name: Director, text: string): string =>
  families.reduce((of, { directors }) => replaced(of, directors.director, directors[name]), text);

/** Configures BIRD as an operator does, and starts it now and at boot. */
const bird = (text: string) =>
  `cat >/etc/bird/bird.conf <<'BIRD'\n${text}BIRD\nsystemctl enable -q bird && systemctl restart bird && sync`;

/** Has a director's checks of the servers fail, or not any more. Packets of clients are for the VIPs, so they pass. */
const checks = (host: Director, what: "fail" | "pass") => {
  const rule = `-${what === "fail" ? "I" : "D"} OUTPUT -p tcp --dport 80 -j REJECT -d`;
  return run(host, `iptables ${rule} 192.168.0.224/28 && ip6tables ${rule} fd00:77::230/124`);
};

onLab("three directors behind ECMP", () => {
  const keep = disposing();
  let now: Map<string, Held>;

  it("share the connections, by the recipe of docs/ecmp.md", async () => {
    await addressed();
    await connect();
    await all(names, (name) => run(name, dummy));
    const stack = keep(await Stack.ofProgram(await programs()));
    await stack.up();
    const [first, ...others] = await Promise.all(names.map(tableOf));
    expect(first).toContain("-s mh");
    expect(others).toEqual([first, first]);
    const own = `${await recipe("BIRD on a director")}${await recipe("IPv6")}`;
    await all(names, (name) => run(name, bird(ofDirector(name, own))));
    await run("client", bird(`${await recipe("The router")}${await recipe("IPv6", "And the router")}`));
    await untilRouted(...names);
    now = await hold();
    for (const name of names) {
      const its = [...now].filter(([, { director }]) => director === name);
      console.log(`ECMP, ${name} has ${percent(its.map(([, one]) => one))}`);
      expect(Math.min(...shares(its.map(([, one]) => one)))).toBeGreaterThan(leastOfThird);
      const { stdout } = await run(name, "ipvsadm -Lnc");
      const entries = [...stdout.replace(/[[\]]/g, "").matchAll(/ESTABLISHED +(\S+) +(\S+):80 /g)].flatMap(
        ([, from, to]) => (families.some(({ vip }) => vip === to) ? [from] : []),
      );
      expect(entries.sort()).toEqual(its.map(([client, { port }]) => `${client}:${port}`).sort());
    }
    expect(await servers()).toEqual(new Set(["web1", "web2"]));
    expect([...now.values()].filter(({ broken }) => broken > 0)).toEqual([]);
  });

  it("continue the connections of one that loses its power", async () => {
    const before = now;
    await power("director", "off");
    await untilRouted("rs1", "rs2");
    now = await answered();
    const { broken } = await between(before, now, "one of three loses its power");
    const waits = [...now.values()].map(({ wait }) => wait);
    console.log(`ECMP, the longest wait for an answer: ${Math.max(...waits)} s`);
    expect(broken).toEqual([]);
  });

  it("keep all connections when a third one joins them", async () => {
    const before = now;
    await power("director", "on");
    await waitForSsh("director", patience.timeout / 1000);
    await untilRouted(...names);
    now = await answered();
    const { moved, broken } = await between(before, now, "a third one joins two");
    // Half of all move: the third that goes to it, and some between the others. By chance 0.7 move in less than one of a million runs.
    expect(Math.max(...shares(moved))).toBeLessThan(0.7);
    expect(broken).toEqual([]);
  });

  it("keep all connections when one sees no server, and when it sees them again", async () => {
    const before = now;
    await checks("rs1", "fail");
    await untilRouted("director", "rs2");
    const without = await answered();
    const { moved, broken } = await between(before, without, "one of three sees no server");
    expect(Math.max(...shares(moved))).toBeLessThan(0.6);
    expect(broken).toEqual([]);
    await checks("rs1", "pass");
    await untilRouted(...names);
    now = await answered();
    expect((await between(without, now, "it sees them again")).broken).toEqual([]);
  });

  it("give the clients of a server that is down to the other one, and break no others", async () => {
    const before = now;
    await stop("web2");
    await expect.poll(servers, patience).toEqual(new Set(["web1"]));
    now = await answered();
    const { broken } = await between(before, now, "one of two servers goes down");
    expect(new Set(broken.map(({ server }) => server))).toEqual(new Set(["web2"]));
  });

  it("break the connections that change the director, without sloppy_tcp", async () => {
    // By the route the reset of a director reaches the clients.
    const script =
      "sysctl -q -w net.ipv4.vs.sloppy_tcp=0; ip route add 10.1.0.0/24 via 192.168.0.100; ip route add fd00:10::/64 via fd00:77::100";
    await all(names, (name) => run(name, script));
    await stop("clients");
    // Connections that began now are known to one director only.
    const before = await hold();
    await checks("rs1", "fail");
    await untilRouted("director", "rs2");
    const after = await answered();
    const { moved, broken } = await between(before, after, "one of three sees no server, without sloppy_tcp");
    expect(Math.min(...shares(moved))).toBeGreaterThan(leastOfThird);
    expect(new Set(broken)).toEqual(new Set(moved));
  });

  it("move to a director that joins only, by a router that hashes resiliently", async () => {
    await checks("rs1", "pass");
    await all(names, (name) => run(name, "sysctl -q -w net.ipv4.vs.sloppy_tcp=1"));
    await stop("clients");
    await run("client", "systemctl stop bird");
    await groupOf("director", "rs1");
    const before = await hold();
    await groupOf(...names);
    const joining = families.map(({ group }) => `ip nexthop bucket show id ${group} nhid ${group + 3}`);
    // the rest of 96 buckets are those of the others
    await waitOn("client", joining.map((list) => `[ $(${list} | wc -l) = 32 ]`).join(" && "), 300);
    now = await answered();
    const { moved, broken } = await between(before, now, "a third one joins two by resilient hashing");
    // At most the third that is its share. Buckets without packets move first.
    expect(Math.max(...shares(moved))).toBeLessThan(0.45);
    const to = [...now].flatMap(([client, { director }]) =>
      director === before.get(client)?.director ? [] : [director],
    );
    expect(new Set(to)).toEqual(new Set(["rs2"]));
    expect(broken).toEqual([]);
  });
});
