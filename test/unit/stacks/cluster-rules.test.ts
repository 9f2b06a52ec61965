import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { otherPrograms } from "../../../stacks/cluster/words.js";
import { clusterRules } from "../../../stacks/rules/index.js";
import { stackRules } from "../../../stacks/rules/stack.js";
import { mistakesInProgram, mistakesOf } from "../../support/fake/cluster-program.js";

const web = {
  kind: "nat",
  director: { connection: { host: "lb1" }, interface: "eth0", dip: "10.1.0.1" },
  vips: ["198.51.100.10"],
  services: [{ port: 80 }],
  realServers: [
    { name: "a", address: "10.1.0.11" },
    { name: "b", address: "10.1.0.12" },
  ],
};
const [a, b] = web.realServers;
const { dip: _, ...outside } = web.director;
const both = { vips: ["198.51.100.10", "2001:db8::10"] };
const shop = { ...web, services: [{ port: 25 }], realServers: [{ name: "c", address: "10.1.0.13" }] };
const outputs = { isOutput: true };

const { director: __, ...rest } = web;
const lb1 = { connection: { host: "lb1" }, interface: "eth0" };
const lb2 = { connection: { host: "lb2" } };
const pair = { director: undefined, directors: [lb1, lb2], vrrp: { routerId: 51 } };
const behind = (gateway: string) => ({
  directors: [{ ...lb1, insideInterface: "eth1" }, lb2],
  vrrp: { routerId: Number(gateway.slice(-1)), gateways: [gateway] },
});
const member = (host: string, address: string) => ({ name: host, address, connection: { host } });

/** An example of each rule: fields of the cluster `web`, or clusters, and the place and begin of each message. */
const examples: Record<string, [given: object, lines: string[], how?: object]> = {
  "a VIP twice in `vips`": [
    { vips: ["198.51.100.10", { name: "x", address: "198.51.100.10" }] },
    ["vips[1]: 198.51.100.10 is that of vips[0]"],
  ],
  "two VIPs with one `name`": [
    { vips: ["198.51.100.9", "198.51.100.10"].map((address) => ({ name: "x", address })) },
    ["vips[1]: x is the name of vips[0]"],
  ],
  "an address that is an output, of a VIP or a real server without a `name`": [
    {
      vips: [{ address: pulumi.output("198.51.100.10") }],
      realServers: [{ address: pulumi.output("10.1.0.11") }],
    },
    ["vips[0].address: is an output,", "realServers[0].address: is an output,"],
    outputs,
  ],
  "one protocol and port twice at one VIP, or one `fwmark` twice": [
    {
      services: [
        { port: 53 },
        { port: 53, protocol: "udp" },
        { port: 53, vips: ["198.51.100.10"] },
        { fwmark: 7 },
        { fwmark: 7, family: "ipv6", realServers: [{ name: "six", address: "2001:db8::1" }] },
        { fwmark: 7 },
      ],
    },
    [
      "services[2]: tcp port 53 at 198.51.100.10 is that of services[0]",
      "services[5]: fwmark 7 is that of services[3]",
    ],
  ],
  "two real servers with one `name`": [
    { realServers: [a, b, { name: "10.1.0.13", address: "10.1.0.14" }, { address: "10.1.0.13" }] },
    ["realServers[3]: 10.1.0.13 is the name of realServers[2]"],
  ],
  "two real servers with one address": [
    { services: [{ port: 80, realServers: ["a", { name: "x", address: "10.1.0.12" }] }] },
    ["services[0].realServers[1]: 10.1.0.12 is that of realServers[1]"],
  ],
  "a real server with the address of a VIP": [
    { realServers: [a, { ...b, address: "198.51.100.10" }] },
    ["realServers[1].address: 198.51.100.10 is the VIP of vips[0]; write the server's own address"],
  ],
  "`address6` that is not IPv6, or beside an IPv6 `address`": [
    {
      realServers: [
        { ...a, address6: "10.1.0.12" },
        { name: "x", address: "2001:db8::1", address6: "2001:db8::2" },
      ],
    },
    ["realServers[0].address6: 10.1.0.12 is IPv4", "realServers[1].address: 2001:db8::1 is IPv6"],
  ],
  "a service whose real server has no address of a VIP's family": [
    {
      ...both,
      services: [{ port: 80 }, { port: 81, vips: ["198.51.100.10"] }],
      realServers: [{ ...a, address6: "2001:db8::11" }, b],
    },
    [
      "realServers[1].address: 10.1.0.12 is of another address family than the VIP 2001:db8::10 of services[0]; give the server address6",
    ],
  ],
  "an unknown VIP in `services[].vips`, or `vips` of a service with `fwmark`": [
    {
      vips: [{ name: "front", address: "198.51.100.10" }],
      services: [
        { port: 80, vips: ["frnt"] },
        { fwmark: 1, vips: ["front"] },
      ],
    },
    [
      'services[0].vips[0]: "frnt" is not a VIP of this cluster (front); did you mean `front`?',
      "services[1].vips: cannot be set with fwmark",
    ],
  ],
  "an unknown name in `services[].realServers` or `services[].members`": [
    { services: [{ port: 80, realServers: ["a", "c"], members: { b: null, bb: {} } }] },
    [
      'services[0].realServers[1]: "c" is not a real server of this cluster (a, b)',
      'services[0].members.bb: "bb" is not a real server of this cluster (a, b)',
    ],
  ],
  "one name twice in `services[].realServers`": [
    { services: [{ port: 80, realServers: ["a", "a"] }] },
    ["services[0].realServers[1]: a is that of services[0].realServers[0]"],
  ],
  "a service without a real server": [
    { services: [{ port: 80, members: { a: null, b: null } }, { port: 81 }] },
    ["services[0]: has no real server"],
  ],
  "`sysctls` of a real server without `connection`": [
    { realServers: [{ ...a, sysctls: { "net.core.somaxconn": 1024 } }] },
    ["realServers[0].sysctls: needs connection"],
  ],
  "`health.slowStart` with a real server whose weight is 1": [
    { services: [{ port: 80, health: { slowStart: 30 }, members: { a: { weight: 10 } } }] },
    ["realServers[1].weight: is 1"],
  ],
  "a check through the VIP with `kind: nat`": [
    { services: [{ port: 80, health: { check: { through: "vip" } } }] },
    ["services[0].health.check.through: vip is for gatewaying"],
  ],
  "a `sorryServer` that is a real server of the service": [
    { services: [{ port: 80, health: { sorryServer: { address: "10.1.0.12" } } }] },
    ["services[0].health.sorryServer.address: 10.1.0.12 is realServers[1], too"],
  ],
  "`returnRoutes` without `director.dip`": [
    { director: outside, returnRoutes: ["default"] },
    ["director.dip: is missing; returnRoutes go through this address"],
  ],
  "both `director` and `directors`, or neither": [
    { directors: [lb1, lb2] },
    ["directors: stands beside director; write all of them in directors"],
  ],
  "`directors` without `vrrp`, or `vrrp`, `sync` or `allowDown` with `director`": [
    { vrrp: { routerId: 51 }, sync: { mcastInterface: "eth1" }, allowDown: true },
    ["vrrp", "sync", "allowDown"].map((field) => `${field}: is for directors, and there is only one`),
  ],
  "one host or one `name` twice in `directors`": [
    {
      ...pair,
      directors: [
        { ...lb1, name: "x" },
        { ...lb1, name: "y" },
        { ...lb2, name: "x" },
        { connection: { host: "x" } },
      ],
    },
    [
      "directors[1].connection: lb1 is the host of directors[0].connection, too; take one of them out",
      "directors[2]: x is the name of directors[0], too",
      "directors[3]: x is the name of directors[0], too",
    ],
  ],
  "one of `directors` whose host or port is an output, without a `name`": [
    {
      ...pair,
      directors: [
        lb1,
        { connection: { host: pulumi.output("lb2") } },
        { connection: { host: "lb3", port: pulumi.output(22) } },
      ],
    },
    [1, 2].map((i) => `directors[${i}].connection: has a host or port that is an output,`),
    outputs,
  ],
  "`directors[].mcastInterface` without `sync`": [
    { ...pair, directors: [lb1, { ...lb2, mcastInterface: "eth3" }] },
    ["directors[1].mcastInterface: is for sync, which is missing"],
  ],
  "a `vrrp.gateways` or `directors[].address` that is another address of the cluster": [
    {
      ...pair,
      directors: [
        { ...lb1, address: "198.51.100.10", insideInterface: "eth1" },
        { ...lb2, address: "198.51.100.10" },
      ],
      vrrp: { routerId: 51, gateways: ["10.1.0.11"] },
    },
    [
      "vrrp.gateways[0]: 10.1.0.11 is that of realServers[0], too; give each its own address",
      "directors[0].address: 198.51.100.10 is that of vips[0], too",
      "directors[1].address: 198.51.100.10 is that of vips[0], too",
    ],
  ],
  "`directors` without `interface`, or `vrrp.gateways` without `insideInterface`": [
    {
      ...pair,
      directors: [lb2, { connection: { host: "lb3" } }],
      vrrp: { routerId: 51, gateways: ["10.1.0.1"] },
    },
    ["directors[0].interface: is missing", "directors[0].insideInterface: is missing"],
  ],
  "`address` of some of `directors` only": [
    { ...pair, directors: [lb1, { ...lb2, address: "198.51.100.2" }] },
    ["directors[0].address: is missing; the others have one"],
  ],
  "`services[].health.announce`": [
    {
      services: [
        { port: 80, health: { announce: { table: 219 } } },
        { port: 81, health: { announce: null } },
      ],
    },
    ["services[0].health.announce: is not for clusters: the route would be there before the VIP"],
  ],
  "`label`, `broadcast`, `announce: false` or `shared` of a VIP with `directors`": [
    {
      ...pair,
      vips: [
        {
          address: "198.51.100.10",
          label: "eth0:1",
          broadcast: "198.51.100.10",
          announce: false,
          shared: true,
        },
      ],
    },
    [
      "vips[0].label: a label stays with one director",
      "vips[0].broadcast: VRRP gives the VIP no broadcast address",
      "vips[0].announce: VRRP always announces the VIP",
      "vips[0].shared: VRRP moves the VIP for one cluster only",
    ],
  ],
  "two of `vrrp.gateways` of one family, or none of a family of `returnRoutes`": [
    {
      ...pair,
      directors: [{ ...lb1, insideInterface: "eth1" }, lb2],
      vrrp: { routerId: 51, gateways: ["10.1.0.1", { address: "10.1.0.2", prefixLength: 24 }] },
      returnRoutes: ["default", "10.9.0.0/16", "2001:db8:1::/48"],
    },
    [
      "vrrp.gateways[1]: is IPv4, as vrrp.gateways[0] is; write one gateway of each family",
      "returnRoutes[2]: no address of vrrp.gateways has the family of 2001:db8:1::/48",
    ],
  ],
  "`localnode: true` of a real server that is not one of `directors` by its connection or address": [
    {
      ...pair,
      directors: [
        { ...lb1, address: "198.51.100.2" },
        { ...lb2, address: "198.51.100.3" },
      ],
      realServers: [
        { ...member("c", "10.1.0.13"), localnode: true },
        { ...b, localnode: true },
        // these two are directors by their addresses
        { name: "one", address: "198.51.100.2", localnode: true },
        { name: "two", address: "198.51.100.3" },
      ],
    },
    [
      "realServers[0].connection: is not one of directors, and localnode is true",
      "realServers[1].localnode: which of directors it is cannot be seen; write the connection of one,",
    ],
  ],
  "a service whose real servers are other directors only, on one of `directors`": [
    { ...pair, realServers: [member("lb1", "10.1.0.1")] },
    ["services[0]: has no real server on lb2: a director serves only while it has the VIPs"],
  ],
  VrrpInstance: [
    {
      ...pair,
      directors: [
        { ...lb1, address: "2001:db8::2" },
        { ...lb2, address: "198.51.100.2" },
      ],
      vips: [{ address: "198.51.100.10", prefixLength: 64 }],
      vrrp: { routerId: 51, preempt: false, preemptDelay: 5, advertInterval: 41, trackInterfaces: ["eth0"] },
    },
    [
      "vips[0].prefixLength: 64 is above 32",
      "vrrp.trackInterfaces[0]: eth0 is the instance's own",
      "directors[0].address: 2001:db8::2 is not of the first address's family",
      "vrrp.advertInterval: 41 is above 40.95",
      "vrrp.preemptDelay: is for preempt: true only",
    ],
  ],
  VirtualService: [
    {
      services: [
        { port: 0 },
        { fwmark: 1, port: 80, protocol: "tcp" },
        {},
        { port: 81, persistence: { netmask: 64 } },
        { port: 82, schedulerFlags: ["mh-port"] },
      ],
    },
    [
      "services[0].port: 0 is every port, and needs persistence",
      "services[1].protocol: cannot be set with fwmark",
      "services[1].port: cannot be set with fwmark",
      "services[2].port: is missing (a service is address and port, or fwmark)",
      "services[3].persistence.netmask: 64 is above 32",
      "services[4].schedulerFlags[0]: mh-port needs the scheduler mh, not wlc",
    ],
  ],
  RealServer: [
    {
      kind: "dr",
      director: outside,
      services: [{ port: 80, members: { a: { port: 8080 }, b: { lowerThreshold: 3 } } }],
    },
    [
      "services[0].members.a.port: 8080 is not the service's 80, and gatewaying leaves ports as they are; use kind: nat",
      "services[0].members.b.lowerThreshold: 3 is above upperThreshold, which is 0",
    ],
  ],
  HealthMonitor: [
    {
      services: [
        { port: 53, protocol: "udp", health: {} },
        { port: 80, health: { check: { type: "tcp", path: "/" } } },
        { port: 81, health: { sorryServer: { address: "2001:db8::1" } } },
        { port: 82, health: { servers: { nowhere: {} } } },
      ],
    },
    [
      "services[0].health.check.type: is missing: name the check of a UDP service",
      "services[1].health.check.path: is not for checks of type tcp",
      "services[2].health.sorryServer.address: 2001:db8::1 is not of the service's address family",
      "services[3].health.servers.nowhere: is not an ADDRESS:PORT",
    ],
  ],
  VirtualAddress: [
    {
      vips: [
        { address: "198.51.100.10", label: "eth1:1", prefixLength: 64 },
        { address: "198.51.100.11", broadcast: "2001:db8::1" },
      ],
    },
    [
      "vips[0].prefixLength: 64 is above 32",
      "vips[0].label: eth1:1 does not begin with eth0:",
      "vips[1].broadcast: is for IPv4 only",
    ],
  ],
  "SyncDaemon,": [
    { returnRoutes: ["2001:db8:1::/48"] },
    ["director.dip: is not an IPv6 address, which the destination 2001:db8:1::/48 needs"],
  ],
};

const between: Record<string, [other: object, lines: string[], web?: object]> = {
  "one VIP or gateway in two clusters on different directors, or in two clusters of which one has `directors`":
    [
      // the hosts are the same in another order
      {
        ...{ ...shop, ...pair, ...behind("10.1.0.2"), vips: ["198.51.100.10", "10.1.0.1"] },
        directors: [{ ...lb2, interface: "eth5", insideInterface: "eth1" }, lb1],
      },
      [
        "vips[0]: 198.51.100.10 is that of clusters.web.vips[0], too; write all services of it in that cluster",
        "vips[1]: 10.1.0.1 is that of clusters.web.vrrp.gateways[0], too; write all services of it in that cluster",
      ],
      { ...rest, ...pair, ...behind("10.1.0.1") },
    ],
  "one of `returnRoutes` by another `dip` or gateway in two clusters on one real server": [
    {
      ...{ ...shop, vips: ["198.51.100.11"], realServers: [member("c", "10.1.0.13")] },
      ...{ director: { ...web.director, dip: "10.1.0.2" }, returnRoutes: ["default"] },
    },
    [
      "returnRoutes[0]: differs from clusters.web.returnRoutes[0]; the return route default of c can have one value only",
    ],
    { ...web, realServers: [member("c", "10.1.0.13")], returnRoutes: ["default"] },
  ],
  "one `vrrp.routerId` in two clusters on one interface of one director": [
    { ...shop, ...pair, vips: ["198.51.100.11"] },
    [
      "vrrp.routerId: 51 on eth0 of lb1 is that of clusters.web.vrrp.routerId, too; give each cluster its own",
    ],
    { ...rest, ...pair },
  ],
  "one protocol and port at one VIP, or one `fwmark`, in two clusters on one director": [
    { ...shop, services: [{ port: 80 }] },
    ["services[0]: tcp port 80 at 198.51.100.10 on lb1 is that of clusters.web.services[0], too"],
  ],
  "one VIP with other details in two clusters on one director": [
    { ...shop, vips: [{ address: "198.51.100.10", prefixLength: 24 }] },
    ["vips[0]: differs from clusters.web.vips[0]; 198.51.100.10 on lb1 can have one value only"],
  ],
  "other `timeouts`, another `syncDaemon` of the same state or `sync`, in two clusters on one director": [
    { ...shop, director: { ...web.director, timeouts: { tcp: 10, udp: 5 } } },
    ["director.timeouts.tcp: differs from clusters.web.director.timeouts.tcp; the timeout tcp of lb1"],
  ],
  "two values of one sysctl on one host": [
    { ...shop, director: { ...web.director, sysctls: { "net.core.somaxconn": "5" } } },
    [
      'director.sysctls["net.core.somaxconn"]: differs from clusters.web.director.sysctls["net.core.somaxconn"]',
    ],
  ],
};

const begins = (lines: string[], expected: string[]) =>
  expect(lines.map((line, i) => line.slice(0, expected[i]?.length))).toEqual(expected);

const exampleOf = ({ refuses }: { refuses: string }) =>
  examples[refuses] ?? Object.entries(examples).find(([name]) => refuses.startsWith(`what ${name}`))?.[1];

test.each(clusterRules.map((rule) => [rule.refuses, rule] as const))(
  "refused: %s, at its place and with the remedy, in the YAML and in a program",
  async (_, rule) => {
    const [fields, lines, how] = exampleOf(rule) as [object, string[], object?];
    const given = { web: { ...web, ...fields } };
    const placed = lines.map((line) => `clusters.web.${line}`);
    if (!how) begins(mistakesOf(given), placed);
    begins(await mistakesInProgram(given), placed);
    // no other rule has part in it
    const { kind } = given.web;
    expect(kind === "dr" || kind === "nat").toBe(true);
  },
);

const first = {
  ...web,
  director: { ...web.director, timeouts: { tcp: 5, udp: 5 }, sysctls: { "net.core.somaxconn": 4 } },
};
const loopback = "one VIP with another `loopbackLabel` or `hostRoutes` in two clusters on one real server";

test.each(
  stackRules
    .filter(({ refuses }) => Object.hasOwn(between, refuses))
    .map((rule) => [rule.refuses, rule] as const),
)("refused between clusters: %s, with both places", async (refuses) => {
  const [shop, lines, web = first] = between[refuses] as [typeof first, string[], typeof first?];
  const placed = lines.map((line) => `clusters.shop.${line}`);
  begins(mistakesOf({ web, shop }), placed);
  begins(await mistakesInProgram({ web, shop }), placed);
});

test(`refused between clusters: ${loopback}`, () => {
  const realServers = [{ ...a, connection: { host: "a" } }];
  const dr = { ...web, kind: "dr", director: outside, realServers };
  const other = { ...dr, services: [{ port: 25 }], loopbackLabel: "lo:9" };
  expect(stackRules.map(({ refuses }) => refuses)).toContain(loopback);
  begins(mistakesOf({ web: dr, shop: other }), [
    "clusters.shop.realServers[0]: differs from clusters.web.realServers[0]; 198.51.100.10 on a can have one value only",
  ]);
});

const named =
  "one of `directors` whose name makes that of another cluster, such as `lb1` of `web` beside `web-lb1`";

test(`refused between clusters: ${named}`, () => {
  const others = stackRules.filter(({ refuses }) => !Object.hasOwn(between, refuses));
  expect(others.map(({ refuses }) => refuses)).toEqual([named, loopback]);
  const two = { ...rest, ...pair, vips: ["198.51.100.11"] };
  begins(mistakesOf({ web: two, "web-lb1": web }), [
    "clusters.web-lb1.director: names of resources begin with web-lb1, as those of clusters.web.directors[0] do",
  ]);
  // one host with a cluster of `director` and one of `directors` that have one VIP
  begins(mistakesOf({ web: { ...two, vips: web.vips, directors: [lb1] }, shop }), [
    "clusters.shop.vips[0]: 198.51.100.10 is that of clusters.web.vips[0], too",
  ]);
});

test("one router id is allowed on interfaces that are outputs, because they may differ", async () => {
  const on = () => ({ directors: [{ ...lb1, interface: pulumi.output("eth0") }] });
  const given = {
    web: { ...rest, ...pair, ...on() },
    shop: { ...shop, ...pair, ...on(), vips: ["198.51.100.11"] },
  };
  expect(await mistakesInProgram(given)).toEqual([]);
});

const docs = readFileSync(join(__dirname, "../../../docs/configuration.md"), "utf8");
const rowsOf = (heading: string): string[][] =>
  [
    ...(docs.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "").matchAll(
      /^\| (.+?) +\| (.+?) +\|$/gm,
    ),
  ]
    .map(([, one = "", other = ""]) => [one.trim(), other.trim()])
    .filter(([one]) => !/^-+$/.test(one ?? "") && !/^(refused|word)$/.test(one ?? ""));

test("the docs list each rule", () => {
  const all = [...clusterRules, ...stackRules].map(({ refuses, remedy }) => [refuses, remedy]);
  expect(rowsOf("Rules")).toEqual(all);
});

test("each word of another program is refused with the field to write", () => {
  const reported = Object.entries(otherPrograms).flatMap(([program, fields]) =>
    Object.entries(fields).map(([word, ours]) => {
      const name = program === "other load balancers" ? word : `${program}'s ${word}`;
      return [word, `clusters.web.${word}: is not a known property; for ${name} write ${ours}`] as const;
    }),
  );
  const given = Object.fromEntries(reported.map(([word]) => [word, 1]));
  expect(mistakesOf({ web: { ...web, ...given } }).sort()).toEqual(reported.map(([, line]) => line).sort());
});

test("the docs list each word of another program", () => {
  const all = Object.values(otherPrograms).flatMap((fields) =>
    Object.entries(fields).map(([word, ours]) => [`\`${word}\``, `\`${ours}\``]),
  );
  expect(rowsOf("Words of other programs")).toEqual(all);
});
