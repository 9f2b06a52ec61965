import { expect, test } from "vitest";
import type { Answer } from "../lab/stack.mjs";
import type { SshHost } from "../support/fake/ssh-host.js";
import { stateOf, tables, up, upAtFirstStep, updates } from "./harness/real-updates.js";

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
  const unchanged = () => expect(hosts.map(({ fake }) => fake.snapshot())).toEqual(images);
  /** Expects the result of an update that failed on a director, and was undone on both. `restored` is in the output. */
  const undone = ({ code, text }: Answer, failing: RegExp, restored = "") => {
    expect(code, text).toBe(10);
    expect(text).toMatch(failing);
    expect(text).toContain(restored);
    unchanged();
  };
  const update = { scheduler: "wrr", weight: 5, advertInterval: 2 };
  await stack.program(program(update));
  const failing = (what: string) => new RegExp(`pulumi-lvs: {3}${what}: cannot update `);
  /** The other one was changed before. */
  const whole = "pulumi-lvs:   update VrrpInstance web-two-vrrp\n";
  for (const [host, fail, message, restored] of [
    [one, () => one.loseAnswerTo("-s wrr"), /the connection was lost before the host had answered/, whole],
    [two, () => two.loseAnswerTo("-s wrr"), /the connection was lost before the host had answered/, ""],
    [one, () => one.fake.write("faults/keepalived-code", "6\n"), failing("VrrpInstance web-one-vrrp"), whole],
    [one, () => one.fake.failCommand("step", 0), failing(".*web-one.*"), whole],
  ] as const) {
    fail();
    const answer = await up(stack);
    host.fake.mend();
    undone(answer, message, restored);
  }

  // a deletion comes to both at the same time, and the other one has made it
  await stack.program(program({ other: false }));
  one.fake.failCommand("step", 1);
  const { updating, go } = await upAtFirstStep(stack, one);
  await expect.poll(() => two.fake.lines("ipvs").join(), { timeout: 120_000 }).not.toContain("192.168.10.12");
  go();
  const deletion = await updating;
  one.fake.mend();
  undone(
    deletion,
    /RealServer web-one-\S+-other: cannot delete /,
    "pulumi-lvs:   create RealServer web-two-tcp-192.168.0.210-80-other\n",
  );
  expect(await stateOf(stack)).toEqual(state);

  await stack.program(program(update));
  await stack.up();
  expect(tables([one])).toEqual(tables([two]));
  expect(one.fake.lines("ipvs").join()).toContain("wrr");
  for (const { fake } of [one, two])
    expect(fake.read("etc/keepalived/pulumi-lvs.d/eth0-51.conf")).toContain("advert_int 2");
});
