import { expect, test } from "vitest";
import type { SshHost } from "../support/fake/ssh-host.js";
import { someOf } from "../support/some-of.js";
import { stateOf, tables, up, updates } from "./harness/site.js";

/** Steps of the update on each director. */
const steps = 7;

const { threeHosts, stackOf, keyPath } = updates();

interface Wanted {
  readonly pair?: boolean;
  /** Whether there is another real server. Default true. */
  readonly other?: boolean;
  readonly scheduler?: string;
  readonly weight?: number;
  readonly advertInterval?: number;
}

test("a cluster gets a second director without a replacement, and a change that fails on one is undone on both", async () => {
  const [one, two, web] = await threeHosts();
  const hosts = [one, two, web];
  const connection = (host: SshHost) => host.connection(keyPath());
  const preferred = { connection: connection(one), interface: "eth0" };
  const program = ({
    pair = true,
    other = true,
    scheduler = "wlc",
    weight = 1,
    advertInterval = 1,
  }: Wanted) => {
    const directors = [
      { ...preferred, name: "one" },
      { connection: connection(two), name: "two" },
    ];
    const several = {
      ...{ directors, vrrp: { routerId: 51, advertInterval }, sync: { mcastInterface: "eth1" } },
    };
    const args = {
      ...(pair ? several : { director: preferred }),
      vips: ["192.168.0.210"],
      services: [{ port: 80, scheduler, health: { check: { type: "tcp" } } }],
      realServers: [
        { name: "web", address: "192.168.10.11", connection: connection(web), weight },
        ...(other ? [{ name: "other", address: "192.168.10.12" }] : []),
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
  /** Runs an update during which something fails on the preferred director. `changed` is what the other one undoes. */
  const undone = async (fail: () => void, failing: RegExp, ...changed: string[]) => {
    fail();
    const { code, text } = await up(stack);
    one.fake.mend();
    expect(code, text).toBe(10);
    expect(text).toMatch(failing);
    for (const one of changed) expect(text).toContain(`pulumi-lvs:   ${one}\n`);
    expect(hosts.map(({ fake }) => fake.snapshot())).toEqual(images);
  };
  const update = { scheduler: "wrr", weight: 5, advertInterval: 2 };
  await stack.program(program(update));
  const failing = (what: string) => new RegExp(`pulumi-lvs: {3}${what}: cannot update `);
  for (const [fail, message] of [
    [() => one.loseAnswerTo("-s wrr"), /the connection was lost before the host had answered/],
    [() => one.fake.write("faults/keepalived-code", "6\n"), failing("VrrpInstance web-one-vrrp")],
    ...someOf([...Array(steps).keys()], steps).map(
      (n) => [() => one.fake.failCommand("step", n), failing(".*")] as const,
    ),
  ] as const)
    await undone(fail, message, "update VrrpInstance web-two-vrrp");

  // without its tool the director cannot be read again, so a person has to act before the rollback goes through
  one.fake.takeTool("ipvsadm", "step", 0);
  const unread = await up(stack);
  expect(unread.code, unread.text).toBe(11);
  expect(unread.text).toMatch(/could not roll back:\n.* on \S+: cannot read .*: ipvsadm: not found; install/);
  one.fake.mend();
  const rollback = await stack.pulumiLvs(["rollback"]);
  expect(rollback.code, rollback.text).toBe(0);
  expect(hosts.map(({ fake }) => fake.snapshot())).toEqual(images);

  // a deletion comes to both at the same time
  await stack.program(program({ other: false }));
  await undone(() => one.fake.failCommand("step", 0), /RealServer web-one-\S+-other: cannot delete /);
  expect(await stateOf(stack)).toEqual(state);

  await stack.program(program(update));
  one.fake.countCommands();
  await stack.up();
  expect(one.fake.counted("step")).toBe(steps);
  expect(tables([one])).toEqual(tables([two]));
  expect(one.fake.lines("ipvs").join()).toContain("wrr");
  for (const { fake } of [one, two])
    expect(fake.read("etc/keepalived/pulumi-lvs.d/eth0-51.conf")).toContain("advert_int 2");
});
