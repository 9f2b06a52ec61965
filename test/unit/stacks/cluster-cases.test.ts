import { expect, test } from "vitest";
import { DrCluster, NatCluster } from "../../../index.js";
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
const service = (args: object) => ({ services: [args] });
const vip = (args: object) => ({ vips: [args] });

/** What is wrong in a cluster beyond test/cases/mistakes, its fields, and each mistake below `clusters.web.`. */
const cases: [string, object, string[]][] = [
  [
    "a label of another interface",
    vip({ address: "198.51.100.10", label: "eth1:1" }),
    ["vips[0].label: eth1:1 does not begin with eth0:"],
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

test("one VIP in two clusters on two directors is refused, because both hosts would have it", async () => {
  const other = { ...shop, director: { connection: { host: "lb2" }, interface: "eth0" } };
  const expected = [
    "clusters.shop.vips[0]: 198.51.100.10 is that of clusters.web.vips[0] on lb1, too, and one host can have it only; write all of them in directors of one cluster, with vrrp",
  ];
  expect(mistakesOf({ web, shop: other })).toEqual(expected);
  expect(await mistakesInProgram({ web, shop: other })).toEqual(expected);
});

test.each([DrCluster, NatCluster])(
  "a second cluster of one name is refused, of either kind",
  async (Kind) => {
    const { kind: _, ...args } = web;
    const other = { ...args, vips: ["198.51.100.99"] };
    const { error } = await program(() => [
      new DrCluster("web", args as never),
      new Kind("web", other as never),
    ]);
    expect(error?.message).toBe(
      "cannot make cluster web: the program has a cluster of this name already; give each its own name",
    );
  },
);
