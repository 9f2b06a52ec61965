import { expect, test } from "vitest";
import type { Definition } from "../../../providers/engine/define.js";
import { type Bag, checkInputs } from "../../../providers/engine/inputs.js";
import { parseClusters } from "../../../stacks/config.js";
import { definitions } from "../../support/fake/definitions.js";
import { put } from "../../support/fake/hostile.js";

const connection = { host: "director1" };

/** Both kinds of cluster, with every map that a wrong value stands in. */
const clusters = {
  dr: {
    kind: "dr",
    director: {
      connection,
      interface: "eth0",
      alongside: ["keepalived"],
      timeouts: {},
      syncDaemon: { state: "master", mcastInterface: "eth1" },
    },
    vips: [{ address: "192.168.0.210" }, "192.168.0.211"],
    services: [{ port: 80, persistence: {}, drain: {}, health: { check: {}, quorum: {} } }],
    realServers: [{ address: "192.168.0.221" }],
    drain: {},
    arp: {},
    probe: { from: { host: "client1" } },
  },
  nat: {
    kind: "nat",
    director: { connection, interface: "eth0", dip: "192.168.10.10" },
    vips: ["192.168.0.219"],
    services: [{ port: 80, health: { sorryServer: { address: "192.168.0.5" } } }],
    realServers: [{ address: "192.168.10.11" }],
    returnRoutes: ["10.0.0.0/8"],
  },
};

/** Arguments of each resource that are right, for a wrong value to be put among. */
const right: Record<string, Bag> = {
  "arp-suppression": {},
  "health-monitor": {
    service: "tcp://192.168.0.219:80",
    check: {},
    quorum: {},
    sorryServer: { address: "192.168.0.5" },
  },
  "host-route": { destination: "10.0.0.0/8", via: "192.168.10.10" },
  "ipvs-timeouts": {},
  "real-server": {
    service: "tcp://192.168.0.219:80",
    address: "192.168.10.11",
    port: 80,
    alongside: ["keepalived"],
    drain: {},
  },
  "service-probe": { url: "http://192.168.0.219/", spread: {} },
  "sync-daemon": { state: "master", mcastInterface: "eth1" },
  "virtual-address": { interface: "eth0", address: "192.168.0.219" },
  "virtual-service": { address: "192.168.0.219", port: 80, persistence: {} },
};

const pathOf = (place: string): (string | number)[] =>
  place
    .split(/[.[\]]+/)
    .filter(Boolean)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));

const mistakes = (given: unknown) => {
  const parsed = parseClusters(given);
  return "mistakes" in parsed ? parsed.mistakes : [];
};

const schedulers = "rr, wrr, lc, wlc, lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh, twos";
const programs = "keepalived, ldirectord, kube-proxy, kube-router";

/** Place in a cluster, kind of resource and its property, a value, and why both refuse it. */
const limits: [string, string, string, unknown, string][] = [
  ["dr.director.interface", "virtual-address", "interface", "eth 0", '"eth 0" is not an interface name'],
  ["dr.director.alongside[0]", "real-server", "alongside[0]", "nginx", `"nginx" must be one of ${programs}`],
  ["dr.director.timeouts.tcp", "ipvs-timeouts", "tcp", 2678401, "2678401 is above 2678400"],
  ["dr.director.timeouts.tcpFin", "ipvs-timeouts", "tcpFin", 0, "0 is below 1"],
  ["dr.director.timeouts.udp", "ipvs-timeouts", "udp", 1.5, "1.5 is not a whole number"],
  ["dr.director.syncDaemon.state", "sync-daemon", "state", "both", '"both" must be one of master, backup'],
  [
    "dr.director.syncDaemon.mcastInterface",
    "sync-daemon",
    "mcastInterface",
    "",
    '"" is not an interface name',
  ],
  ["dr.director.syncDaemon.syncid", "sync-daemon", "syncid", 256, "256 is above 255"],
  ["dr.director.syncDaemon.syncMaxlen", "sync-daemon", "syncMaxlen", 65508, "65508 is above 65507"],
  [
    "dr.director.syncDaemon.mcastGroup",
    "sync-daemon",
    "mcastGroup",
    "10.0.0.1",
    '"10.0.0.1" is not a multicast address',
  ],
  ["dr.director.syncDaemon.mcastPort", "sync-daemon", "mcastPort", 0, "0 is below 1"],
  ["dr.director.syncDaemon.mcastTtl", "sync-daemon", "mcastTtl", 256, "256 is above 255"],
  [
    "dr.vips[0].address",
    "virtual-address",
    "address",
    "224.0.0.1",
    '"224.0.0.1" is not an address that a host can have',
  ],
  ["dr.vips[1]", "virtual-address", "address", "0.0.0.0", '"0.0.0.0" is not an address that a host can have'],
  ["dr.vips[0].prefixLength", "virtual-address", "prefixLength", 129, "129 is above 128"],
  ["dr.vips[0].label", "virtual-address", "label", "eth0 1", "is not a label such as eth0:1"],
  ["dr.vips[0].label", "virtual-address", "label", "eth0:1234567890a", "is longer than 15"],
  ["dr.vips[0].broadcast", "virtual-address", "broadcast", "all", '"all" is not an IP address'],
  ["dr.services[0].protocol", "virtual-service", "protocol", "sctp", '"sctp" must be one of tcp, udp'],
  ["dr.services[0].port", "virtual-service", "port", 65536, "65536 is above 65535"],
  ["dr.services[0].fwmark", "virtual-service", "fwmark", 2147483648, "2147483648 is above 2147483647"],
  ["dr.services[0].scheduler", "virtual-service", "scheduler", "x", `"x" must be one of ${schedulers}`],
  [
    "dr.services[0].schedulerFlags",
    "virtual-service",
    "schedulerFlags",
    "mh-port",
    '"mh-port" is not a list; write it in brackets, [ ], or after a dash',
  ],
  ["dr.services[0].persistence.timeout", "virtual-service", "persistence.timeout", 0, "0 is below 1"],
  ["dr.services[0].persistence.netmask", "virtual-service", "persistence.netmask", 129, "129 is above 128"],
  ["dr.services[0].drain.timeout", "real-server", "drain.timeout", 86401, "86401 is above 86400"],
  ["dr.services[0].health.rise", "health-monitor", "rise", 101, "101 is above 100"],
  ["dr.services[0].health.interval", "health-monitor", "interval", 0, "0 is below 1"],
  ["dr.services[0].health.check.status", "health-monitor", "check.status", [], "must not be empty"],
  ["dr.services[0].health.quorum.weight", "health-monitor", "quorum.weight", 0, "0 is below 1"],
  ["nat.services[0].health.sorryServer.weight", "health-monitor", "sorryServer.weight", 0, "0 is below 1"],
  ["dr.drain.timeout", "real-server", "drain.timeout", 0, "0 is below 1"],
  ["dr.drain.minimum", "real-server", "drain.minimum", 3601, "3601 is above 3600"],
  [
    "dr.realServers[0].address",
    "real-server",
    "address",
    "::",
    '"::" is not an address that a host can have',
  ],
  ["dr.realServers[0].weight", "real-server", "weight", 65536, "65536 is above 65535"],
  ["dr.realServers[0].upperThreshold", "real-server", "upperThreshold", -1, "-1 is below 0"],
  ["dr.realServers[0].lowerThreshold", "real-server", "lowerThreshold", 65536, "65536 is above 65535"],
  ["dr.realServers[0].persist", "real-server", "persist", "yes", '"yes" is not a boolean; write true'],
  ["dr.persist", "real-server", "persist", 1, "1 is not a boolean"],
  ["dr.adopt", "real-server", "adopt", "no", '"no" is not a boolean; write false'],
  ["dr.arp.interface", "arp-suppression", "interface", "a/b", '"a/b" is not an interface name'],
  ["dr.arp.all", "arp-suppression", "all", null, "null is not a boolean"],
  ["dr.probe.status", "service-probe", "status", 600, "600 is above 599"],
  ["dr.probe.status", "service-probe", "status", Array(101).fill(200), "is longer than 100"],
  ["dr.probe.contains", "service-probe", "contains", "a\nb", "has a line break or an invalid character"],
  ["dr.probe.requests", "service-probe", "requests", 1001, "1001 is above 1000"],
  ["dr.probe.failures", "service-probe", "failures", -1, "-1 is below 0"],
  ["dr.probe.timeout", "service-probe", "timeout", 61, "61 is above 60"],
  ["dr.probe.within", "service-probe", "within", 601, "601 is above 600"],
  ["dr.probe.servers", "service-probe", "spread.servers", 0, "0 is below 1"],
  ["dr.probe.header", "service-probe", "spread.header", "Served By", "is not the name of a header"],
  [
    "nat.director.dip",
    "host-route",
    "via",
    "255.255.255.255",
    '"255.255.255.255" is not an address that a host can have',
  ],
  [
    "nat.returnRoutes[0]",
    "host-route",
    "destination",
    "10.0.0.1/8",
    '"10.0.0.1/8" is not a network: it has bits set beyond its prefix',
  ],
];

test("the clusters that wrong values are put into are right", () => {
  expect(mistakes(clusters)).toEqual([]);
  for (const [name, args] of Object.entries(right))
    expect(checkInputs(definitions.get(name) as Definition, { connection, ...args }).problems, name).toEqual(
      [],
    );
});

test.each(limits)("%s is refused as %s refuses its %s: %j %s", (place, kind, property, value, reason) => {
  expect(mistakes(put(clusters, pathOf(place), value))).toEqual([`clusters.${place}: ${reason}`]);
  const args = put({ connection, ...right[kind] }, pathOf(property), value) as Bag;
  expect(checkInputs(definitions.get(kind) as Definition, args).problems).toContainEqual({
    path: property,
    reason,
  });
});

test("null stands for the default wherever the resource takes it, and nothing is filled in", () => {
  const given = {
    ...clusters.dr,
    vips: [{ address: "192.168.0.210", label: null, broadcast: null }],
    services: [{ port: 80, persistence: null, drain: null, health: { log: null, sorryServer: null } }],
    drain: null,
    probe: { from: { host: "client1" }, status: null, contains: null, header: null },
  };
  expect(parseClusters({ dr: given, nat: clusters.nat })).toEqual({
    clusters: { dr: given, nat: clusters.nat },
  });
});

test("a status code is one or a list, as it was given", () => {
  const given = { ...clusters.dr, probe: { from: { host: "client1" }, status: 204 } };
  expect(parseClusters({ web: given })).toEqual({ clusters: { web: given } });
});

test("a server that is named __proto__ is refused, and not dropped", () => {
  const servers = JSON.parse('{ "__proto__": { "type": "tcp" } }');
  const reason = "is not a known property";
  const place = "dr.services[0].health.servers";
  expect(mistakes(put(clusters, pathOf(place), servers))).toEqual([`clusters.${place}.__proto__: ${reason}`]);
  const args = { connection, ...right["health-monitor"], servers };
  expect(checkInputs(definitions.get("health-monitor") as Definition, args).problems).toEqual([
    { path: "servers.__proto__", reason },
  ]);
});

test("a text that no sysctl takes is refused in its cluster, as in a Sysctl", () => {
  const given = put(clusters, ["dr", "director", "sysctls"], { "net.core.somaxconn": "4\u00e9" });
  const reason = "has characters that no sysctl takes";
  expect(mistakes(given)).toEqual([`clusters.dr.director.sysctls["net.core.somaxconn"]: ${reason}`]);
  const args = { connection, name: "net.core.somaxconn", value: "4\u00e9" };
  expect(checkInputs(definitions.get("sysctl") as Definition, args).problems).toContainEqual({
    path: "value",
    reason,
  });
});
