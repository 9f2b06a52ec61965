import { expect, test } from "vitest";
import { makeAll, mistakesInProgram, mistakesOf, program } from "../../support/fake/cluster-program.js";

const web = {
  kind: "dr",
  director: { connection: { host: "lb1" }, interface: "eth0" },
  vips: ["198.51.100.10"],
  services: [{ port: 80, scheduler: "wlc" }],
  realServers: [
    { name: "a", address: "198.51.100.21", connection: { host: "a" } },
    { name: "b", address: "198.51.100.22", connection: { host: "b" }, weight: 2 },
  ],
};
const [a, b] = web.realServers;
const service = (args: object) => ({ services: [args] });
const vip = (args: object) => ({ vips: [args] });
const second = (args: object) => ({ realServers: [a, { ...b, ...args }] });
const schedulers = "rr, wrr, lc, wlc, lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh, twos";

/** What is wrong in a cluster, its fields, and each mistake below `clusters.web.`. */
const cases: [string, object, string[]][] = [
  [
    "a typing error in a field of a server",
    second({ wieght: 2 }),
    ["realServers[1].wieght: is not a known property; did you mean `weight`?"],
  ],
  [
    "a typing error in a field of the cluster",
    { realServers: undefined, realservers: web.realServers },
    ["realservers: is not a known property; did you mean `realServers`?", "realServers: is missing"],
  ],
  [
    "an address out of range",
    second({ address: "198.51.100.321" }),
    ['realServers[1].address: "198.51.100.321" is no IP address'],
  ],
  [
    "a host name for an address",
    second({ address: "b.example.net" }),
    [
      'realServers[1].address: "b.example.net" is no IP address; write the address itself, because names are not resolved',
    ],
  ],
  [
    "two servers with one name",
    second({ name: "a" }),
    ["realServers[1]: a is the name of realServers[0], too; give each its own name"],
  ],
  [
    "two servers with one address",
    second({ address: "198.51.100.21" }),
    ["realServers[1]: 198.51.100.21 is that of realServers[0], too; take one of them out"],
  ],
  [
    "a service twice",
    { services: [{ port: 80 }, { port: 80, scheduler: "rr" }] },
    [
      "services[1]: tcp port 80 at 198.51.100.10 is that of services[0], too; they need another protocol, port or vips",
    ],
  ],
  [
    "another port on the servers",
    service({ port: 80, realServerPort: 8080 }),
    ["services[0].realServerPort: is not a known property; LVS/DR cannot change ports; use kind: nat"],
  ],
  ["no interface", { director: { connection: { host: "lb1" } } }, ["director.interface: is missing"]],
  [
    "a scheduler with another name",
    service({ port: 80, scheduler: "roundrobin" }),
    [`services[0].scheduler: "roundrobin" is none of ${schedulers}; did you mean \`rr\`?`],
  ],
  ["a negative weight", second({ weight: -1 }), ["realServers[1].weight: -1 is below 0"]],
  ["half a weight", second({ weight: 1.5 }), ["realServers[1].weight: 1.5 is not a whole number"]],
  [
    "a port in quotes",
    service({ port: "80" }),
    ['services[0].port: "80" is not a number; write it without quotes'],
  ],
  ["a VIP of another network", vip({ address: "192.168.77.10" }), []],
  [
    "a label that is too long",
    vip({ address: "198.51.100.10", label: "eth0:production-web" }),
    ["vips[0].label: is longer than 15"],
  ],
  [
    "a label of another interface",
    vip({ address: "198.51.100.10", label: "eth1:1" }),
    ["vips[0].label: eth1:1 does not begin with eth0:"],
  ],
  [
    "an interface name that is too long",
    { director: { connection: { host: "lb1" }, interface: "enp129s0f1np1vlan100" } },
    [
      'director.interface: "enp129s0f1np1vlan100" is longer than the 15 characters that an interface\'s name may have',
    ],
  ],
  ["a firewall mark of 0", service({ fwmark: 0 }), ["services[0].fwmark: 0 is below 1"]],
  [
    "a network for a VIP",
    { vips: ["198.51.100.10/24"] },
    ['vips[0]: "198.51.100.10/24" is no IP address; write { address: 198.51.100.10, prefixLength: 24 }'],
  ],
  [
    "one VIP instead of a list",
    { vips: "198.51.100.10" },
    ['vips: "198.51.100.10" is not a list; write it in brackets, [ ], or after a dash'],
  ],
  [
    "every port without persistence",
    service({ port: 0 }),
    ["services[0].port: 0 is every port, and needs persistence"],
  ],
  ["a port above the range", service({ port: 70000 }), ["services[0].port: 70000 is above 65535"]],
  [
    "an IPv6 server behind an IPv4 VIP",
    second({ address: "2001:db8::22" }),
    [
      "realServers[1].address: 2001:db8::22 is of another address family than the VIP 198.51.100.10 of services[0]; write an IPv4 address, or name other real servers or vips in the service",
    ],
  ],
  [
    "IPv4 servers behind an IPv6 VIP",
    { vips: ["2001:db8::10"] },
    [0, 1].map(
      (i) =>
        `realServers[${i}].address: 198.51.100.2${i + 1} is of another address family than the VIP 2001:db8::10 of services[0]; give the server address6, an IPv6 address, or name other real servers or vips in the service`,
    ),
  ],
  [
    "typing errors in the checks",
    service({ port: 80, health: { check: { typ: "http" }, intervall: 3 } }),
    [
      "services[0].health.check.typ: is not a known property; did you mean `type`?",
      "services[0].health.intervall: is not a known property; did you mean `interval`?",
    ],
  ],
  [
    "a number for a host",
    { director: { connection: { host: 10.1 }, interface: "eth0" } },
    ["director.connection.host: 10.1 is not a string; write it in quotes"],
  ],
  [
    "five mistakes at once",
    {
      returnRoutes: ["default"],
      director: { connection: { host: "lb1" }, interface: "eth 0" },
      services: [{ port: 80, scheduler: "rrr" }],
      realServers: [
        { ...a, address: "198.51.100.321" },
        { ...b, wieght: 2 },
      ],
    },
    [
      'realServers[0].address: "198.51.100.321" is no IP address',
      "realServers[1].wieght: is not a known property; did you mean `weight`?",
      'director.interface: "eth 0" is no interface name',
      `services[0].scheduler: "rrr" is none of ${schedulers}; did you mean \`wrr\`?`,
      "returnRoutes: is not a known property; only kind: nat has it",
    ],
  ],
  [
    "keepalived's words",
    { ...service({ port: 80, lb_algo: "rr", lb_kind: "DR" }), delay_loop: 6, virtual_ipaddress: [] },
    [
      "services[0].lb_algo: is not a known property; for keepalived's lb_algo write services[].scheduler",
      "services[0].lb_kind: is not a known property; for keepalived's lb_kind write kind",
      "delay_loop: is not a known property; for keepalived's delay_loop write services[].health.interval",
      "virtual_ipaddress: is not a known property; for keepalived's virtual_ipaddress write vips",
    ],
  ],
  [
    "a lower threshold above the upper",
    second({ upperThreshold: 5, lowerThreshold: 6 }),
    ["realServers[1].lowerThreshold: 6 is above upperThreshold, which is 5"],
  ],
  [
    "a number for persistence",
    service({ port: 80, persistence: 300 }),
    ["services[0].persistence: 300 is not a map; write { timeout: 300 }"],
  ],
  ["a word for a boolean", { adopt: "yes" }, ['adopt: "yes" is not a boolean; write true']],
  ["null for the servers", { realServers: null }, ["realServers: null is not a list"]],
  ["a number for the drain", { drain: 60 }, ["drain: 60 is not a map; write { timeout: 60 }"]],
  ["a label of a server", second({ label: 'eth0:1 "x' }), ["realServers[1].label: is not a known property"]],
  [
    "nothing in its lists",
    { vips: [], services: [], realServers: [] },
    ["vips: must not be empty", "realServers: must not be empty", "services: must not be empty"],
  ],
  [
    "typing errors where a program has loops",
    { services: [80, 443].map((port) => ({ port, schedular: "rr", healt: {} })) },
    [0, 1].flatMap((i) => [
      `services[${i}].schedular: is not a known property; did you mean \`scheduler\`?`,
      `services[${i}].healt: is not a known property; did you mean \`health\`?`,
    ]),
  ],
];

test.each(cases)(
  "%s: the YAML and a program tell each mistake with its place",
  async (_, fields, expected) => {
    const given = { web: { ...web, ...fields } };
    const lines = expected.map((line) => `clusters.web.${line}`);
    expect(mistakesOf(JSON.parse(JSON.stringify(given)))).toEqual(lines);
    expect(await mistakesInProgram(given)).toEqual(lines);
  },
);

test.each([
  ["DR", '"DR" is none of dr, nat; did you mean `dr`?'],
  ["tun", '"tun" is none of dr, nat; tunnels are not supported'],
  [undefined, "is missing; write kind: dr or kind: nat"],
])("the kinds are listed where kind is %s", (kind, reason) => {
  expect(mistakesOf({ web: { ...web, kind } })).toEqual([`clusters.web.kind: ${reason}`]);
});

test("a list of clusters is refused", () => {
  expect(mistakesOf([web])).toEqual(["clusters: a list is not a map"]);
});

const shop = {
  ...web,
  realServers: [{ name: "c", address: "198.51.100.23", connection: { host: "c" } }],
};

test("one VIP and port in two clusters on one director is refused with both places", async () => {
  const reason =
    "tcp port 80 at 198.51.100.10 on lb1 is that of clusters.web.services[0], too; they need another protocol, port or VIP";
  const expected = [`clusters.shop.services[0]: ${reason}`];
  expect(mistakesOf({ web, shop })).toEqual(expected);
  expect(await mistakesInProgram({ web, shop })).toEqual(expected);
});

test("one VIP with other ports in two clusters on one director works, and the first cluster declares the VIP", async () => {
  const mail = { ...shop, services: [{ port: 25 }] };
  expect(mistakesOf({ web, mail })).toEqual([]);
  const { all, error } = await program(() => makeAll({ web, mail }));
  expect(error).toBeUndefined();
  const vips = all.filter(({ type, inputs }) => type === "VirtualAddress" && inputs.interface === "eth0");
  expect(vips.map(({ name }) => name)).toEqual(["web-vip-198.51.100.10"]);
  expect(all.filter(({ type }) => type === "VirtualService")).toHaveLength(2);
  expect(all.filter(({ name }) => name.endsWith("vip-route-198.51.100.10"))).toHaveLength(1);
});

test("two directors of one VIP share their real servers", async () => {
  const pair = (host: string, state: string) => ({
    ...web,
    director: {
      ...{ connection: { host }, interface: "eth0", alongside: ["keepalived"] },
      syncDaemon: { state, mcastInterface: "eth1" },
    },
  });
  const both = { one: pair("lb1", "master"), two: pair("lb2", "backup") };
  expect(mistakesOf(both)).toEqual([]);
  const { all, error } = await program(() => makeAll(both));
  expect(error).toBeUndefined();
  const onA = all.filter(({ inputs }) => JSON.stringify(inputs.connection) === '{"host":"a"}');
  expect(onA.filter(({ type }) => type === "VirtualAddress")).toHaveLength(1);
  expect(
    all.filter(({ type, inputs }) => type === "VirtualAddress" && inputs.interface === "eth0"),
  ).toHaveLength(2);
});
