import { expect, test } from "vitest";
import type { SshHost } from "../support/fake/ssh-host.js";
import { someOf } from "../support/some-of.js";
import { stateOf, tables, up, updates } from "./harness/site.js";

/** Steps of the update on each director. */
const steps = 7;

const { threeHosts, stackOf, keyPath } = updates();

interface Wanted {
  readonly pair?: boolean;
  readonly scheduler?: string;
  readonly weight?: number;
  readonly advertInterval?: number;
}

test("a cluster gets a second director without a replacement, and a change that fails on one is undone on both", async () => {
  const [one, two, web] = await threeHosts();
  const hosts = [one, two, web];
  const connection = (host: SshHost) => host.connection(keyPath());
  const first = { connection: connection(one), interface: "eth0" };
  const program = ({ pair = true, scheduler = "wlc", weight = 1, advertInterval = 1 }: Wanted) => {
    const directors = [
      { ...first, name: "one" },
      { connection: connection(two), name: "two" },
    ];
    const several = {
      ...{ directors, vrrp: { routerId: 51, advertInterval }, sync: { mcastInterface: "eth1" } },
    };
    const args = {
      ...(pair ? several : { director: first }),
      vips: ["192.168.0.210"],
      services: [{ port: 80, scheduler, health: { check: { type: "tcp" } } }],
      realServers: [
        { name: "web", address: "192.168.10.11", connection: connection(web), weight },
        { name: "other", address: "192.168.10.12" },
      ],
    };
    return `new lvs.DrCluster("web", ${JSON.stringify(args)});`;
  };
  const stack = await stackOf(program({ pair: false }));
  await stack.up();
  const idsOf = async () => (await stateOf(stack)).flatMap(({ id }) => id ?? []);
  const before = await idsOf();

  // VRRP moves the VIP from now on
  await stack.program(program({}));
  await stack.destroy("--target", "**::web-vip-**", "--target-dependents");
  expect(await stack.up()).not.toMatch(/replac/);
  const after = await idsOf();
  const gone = before.filter((id) => !after.includes(id)).map((id) => id.replace(/^.*?\//, ""));
  expect(gone.sort()).toEqual(["eth0/192.168.0.210", "route/192.168.0.210/32"]);
  expect(tables([one])).toEqual(tables([two]));

  const images = hosts.map(({ fake }) => fake.snapshot());
  const state = await stateOf(stack);
  await stack.program(program({ scheduler: "wrr", weight: 5, advertInterval: 2 }));
  const atStep = (n: number) => ["", () => one.fake.failCommand("step", n)] as const;
  // on the preferred director its first resource fails, then its last one, then a step that goes by LVS_SEED
  for (const [failing, fail] of [
    ["VirtualService web-one-tcp-192.168.0.210-80", () => one.fake.failCommand("step", 1)],
    ["VrrpInstance web-one-vrrp", () => one.fake.write("faults/keepalived-code", "6\n")],
    ...someOf([...Array(steps).keys()], steps).map(atStep),
  ] as const) {
    fail();
    const { code, text } = await up(stack);
    one.fake.mend();
    expect(code, text).toBe(10);
    expect(text).toMatch(new RegExp(`pulumi-lvs: {3}${failing || ".*"}: cannot update `));
    // the other one was changed before
    expect(text).toContain("pulumi-lvs:   update VrrpInstance web-two-vrrp\n");
    expect(hosts.map(({ fake }) => fake.snapshot())).toEqual(images);
  }
  expect(await stateOf(stack)).toEqual(state);
  one.fake.countCommands();
  await stack.up();
  expect(one.fake.counted("step")).toBe(steps);
  expect(tables([one])).toEqual(tables([two]));
  expect(one.fake.lines("ipvs").join()).toContain("wrr");
  for (const { fake } of [one, two])
    expect(fake.read("etc/keepalived/pulumi-lvs.d/eth0-51.conf")).toContain("advert_int 2");
});
