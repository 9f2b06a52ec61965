import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { realServer } from "../../providers/real-server/index.js";
import { fakeHost, resources } from "../support/fake/engine.js";
import { type FakeHost, until } from "../support/fake/fake-host.js";

const heading = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n";
const families = {
  IPv4: {
    service: "tcp://192.168.0.219:80",
    entry: "-t 192.168.0.219:80",
    address: "192.168.0.11",
    server: "192.168.0.11:80",
    way: "192.168.0.11 dev eth0 src 192.168.0.5 uid 0 \\    cache \n",
    route: "4 main 192.168.0.11 192.168.0.11 eth0 - 0",
    connection: (port: string, state = "ESTABLISHED") =>
      `TCP C0A80064 ${port} C0A800DB 0050 C0A8000B 0050 ${state} 890\n`,
  },
  IPv6: {
    service: "tcp://[2001:db8::219]:80",
    entry: "-t [2001:db8::219]:80",
    address: "2001:db8::11",
    server: "[2001:db8::11]:80",
    way: "2001:db8::11 from :: dev eth0 proto kernel src 2001:db8::5 metric 256 pref medium\n",
    route: "6 main 2001:db8::11 2001:db8::11 eth0 - 1024",
    connection: (port: string, state = "ESTABLISHED") =>
      `TCP 2001:0db8:0000:0000:0000:0000:0000:0064 ${port} 2001:0db8:0000:0000:0000:0000:0000:0219 0050 2001:0db8:0000:0000:0000:0000:0000:0011 0050 ${state} 890\n`,
  },
} as const;

describe.each(Object.entries(families))("changed forwarding, %s", (_, family) => {
  const { service, entry, address, server, way, route, connection } = family;

  async function director(from: "gatewaying" | "masquerading") {
    const fake = fakeHost();
    fake.write("ipvs", `-A ${entry} -s wlc\n`);
    fake.write("proc/net/ip_vs", "");
    fake.write("way", way);
    const servers = resources(realServer, fake);
    const { props } = await servers.create({ service, address, port: 80, forwarding: from });
    return { fake, ...servers, props };
  }

  const gone = (fake: FakeHost) => until(() => !fake.lines("routes").some((line) => line === route));

  /** The loop that waits for connections to go has looked once more. */
  const looksAgain = async (fake: FakeHost) => {
    const looks = () => fake.lines("log").filter((line) => line === "ipvsadm -Sn").length;
    const before = looks();
    await until(() => looks() > before);
  };

  test.each([
    ["gatewaying", "masquerading"],
    ["masquerading", "gatewaying"],
  ] as const)(
    "from %s to %s has a route that serves both until the connections from before have gone",
    async (from, to) => {
      const { fake, update, props } = await director(from);
      fake.write("proc/net/ip_vs_conn", heading + connection("E0A2") + connection("E0A3", "TIME_WAIT"));
      await update(props, { service, address, port: 80, forwarding: to });
      const changes = fake.changes().filter((line) => !line.startsWith("ipvsadm -a"));
      expect(changes.slice(0, 2)).toEqual([
        `ip ${route.startsWith("4") ? "-4" : "-6"} route add ${address} via ${address} dev eth0 onlink`,
        `ipvsadm -e ${entry} -r ${server} ${to === "gatewaying" ? "-g" : "-m"} -w 1`,
      ]);
      expect(fake.lines("routes")).toContain(route);
      // one that has ended, in another state, is there still; new ones do not count
      fake.write("proc/net/ip_vs_conn", heading + connection("E0A3", "CLOSE") + connection("E0A4"));
      await looksAgain(fake);
      await looksAgain(fake);
      expect(fake.lines("routes")).toContain(route);
      fake.write("proc/net/ip_vs_conn", heading + connection("E0A4"));
      await gone(fake);
      expect(fake.changes().at(-1)).toMatch(/ route del /);
    },
  );

  test("holds no lock meanwhile, and a server that goes takes its route along", async () => {
    const { fake, update, delete: remove, props } = await director("masquerading");
    fake.write("proc/net/ip_vs_conn", heading + connection("E0A2"));
    const changed = await update(props, { service, address, port: 80, forwarding: "gatewaying" });
    await remove(changed);
    await gone(fake);
  });

  test("needs none behind a gateway, and none where no client is connected stays", async () => {
    const { fake, update, props } = await director("gatewaying");
    fake.write("proc/net/ip_vs_conn", heading);
    const changed = await update(props, { service, address, port: 80, forwarding: "masquerading" });
    await gone(fake);
    fake.write("proc/net/ip_vs_conn", heading + connection("E0A2"));
    fake.write("way", `${address} via 192.168.0.1 dev eth0 src 192.168.0.5\n`);
    const before = fake.changes().length;
    await update(changed, { service, address, port: 80, forwarding: "gatewaying" });
    expect(fake.changes().slice(before)).toEqual([`ipvsadm -e ${entry} -r ${server} -g -w 1`]);
  });

  test("that is refused leaves no route", async () => {
    const { fake, update, props } = await director("gatewaying");
    fake.write("proc/net/ip_vs_conn", heading + connection("E0A2"));
    fake.withoutTool("ipvsadm");
    const refusing = '#!/bin/sh\n[ "$1" != -e ] || { echo refused >&2; exit 1; }\n';
    writeFileSync(`${fake.root}/tools/ipvsadm`, `${refusing}exec "$LVS_FAKE_BIN/ipvsadm" "$@"\n`, {
      mode: 0o755,
    });
    const change = update(props, { service, address, port: 80, forwarding: "masquerading" });
    await expect(change).rejects.toThrow(/refused/);
    expect(fake.changes().filter((line) => / route /.test(line))).toHaveLength(2);
    expect(fake.lines("routes")).not.toContain(route);
  });
});
