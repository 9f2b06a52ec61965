import { expect, test } from "vitest";
import type { Definition } from "../../../providers/engine/define.js";
import { checkIdentity, idOf } from "../../../providers/engine/inputs.js";
import { definitions } from "../../support/fake/definitions.js";
import { connection, fakeHost, resources } from "../../support/fake/engine.js";

const service = "tcp://192.168.0.219:80";
const mark = "fwmark://1";
const virtual = { address: "192.168.0.219", port: 80 };
const table: [string, object][] = [["virtual-service", virtual]];
const marked: [string, object][] = [["virtual-service", { fwmark: 1 }]];
const masqueraded = { forwarding: "masquerading", weight: 3 };

/** A kind, its identity, what its rules or schemas want besides, and what must be there first. */
const cases: [string, string, object, object, [string, object][]][] = [
  ["a service", "virtual-service", virtual, { scheduler: "rr" }, []],
  [
    "a service of every port",
    "virtual-service",
    { ...virtual, port: 0 },
    { persistence: { timeout: 60 } },
    [],
  ],
  ["a service of a firewall mark", "virtual-service", { fwmark: 1 }, { scheduler: "rr" }, []],
  [
    "a masqueraded server on another port",
    "real-server",
    { service, address: "192.168.10.11", port: 8080 },
    masqueraded,
    table,
  ],
  [
    "a server of a firewall mark",
    "real-server",
    { service: mark, address: "192.168.10.11", port: 8080 },
    masqueraded,
    marked,
  ],
  ["a sync daemon", "sync-daemon", { state: "master" }, { mcastInterface: "eth1", syncid: 7 }, []],
  ["a receiving sync daemon", "sync-daemon", { state: "backup" }, { mcastInterface: "eth1" }, []],
  [
    "an address",
    "virtual-address",
    { interface: "eth0", address: "192.168.0.219" },
    { prefixLength: 24 },
    [],
  ],
  ["a route", "host-route", { destination: "10.0.0.0/8" }, { via: "192.168.0.5", device: "eth0" }, []],
  ["a sysctl", "sysctl", { name: "net.ipv4.conf.lo.arp_ignore" }, { value: "1" }, []],
  ["a module", "kernel-module", { name: "ip_vs" }, {}, []],
  ["timeouts", "ipvs-timeouts", {}, { tcp: 7200, tcpFin: 60, udp: 30 }, []],
  ["forwarding", "ip-forwarding", {}, {}, []],
  [
    "an instance of VRRP",
    "vrrp-instance",
    { interface: "eth0", routerId: 51 },
    { addresses: [{ address: "192.168.0.219" }, { address: "2001:db8::219" }], priority: 7 },
    [],
  ],
  [
    "a monitor",
    "health-monitor",
    { service },
    { check: { type: "tcp" } },
    [...table, ["real-server", { service, address: "192.168.10.11", port: 8080, ...masqueraded }]],
  ],
  ["silence", "arp-suppression", {}, {}, []],
];

test.each(cases)("get of %s takes its identity alone", async (_, name, identity, rest, before) => {
  const fake = fakeHost();
  const kind = (of: string) => resources(definitions.get(of) as Definition, fake);
  for (const [of, args] of before) await kind(of).create({ ...args });
  const definition = definitions.get(name) as Definition;
  const { id, props } = await kind(name).create({ ...identity, ...rest });
  expect(idOf(definition, { connection, ...identity })).toBe(id);
  const read = await kind(name).engine.read(id, { connection, ...identity });
  expect(read.id).toBe(id);
  const { owner: _owner, ...declared } = props;
  expect(read.props).toMatchObject(declared);
});

test("every kind that has something on a host is among them", () => {
  const listed = new Set(cases.map(([, kind]) => kind));
  expect([...definitions].filter(([name, { record }]) => record && !listed.has(name))).toEqual([]);
});

test("get without its identity says what is missing", () => {
  const { problems } = checkIdentity(definitions.get("real-server") as Definition, { connection });
  expect(problems.map(({ path, reason }) => `${path} ${reason}`)).toEqual([
    "service is missing",
    "address is missing",
    "port is missing",
  ]);
});
