import { expect, test } from "vitest";
import type { SshHost } from "../support/fake/ssh-host.js";
import { previewIsEmpty, stateOf, succeed, up, updates, upThatWaits } from "./harness/real-updates.js";

const { threeHosts, stackOf, keyPath, inPlace } = updates();

interface Wanted {
  readonly allowDown?: boolean;
  readonly ports?: readonly number[];
  readonly weight?: number;
  /** Without the real server whose host the program configures. */
  readonly removed?: boolean;
  /** Whether the other director is the preferred one. */
  readonly reversed?: boolean;
}

/** A cluster with two directors, and how its program says what is wanted. */
async function pair() {
  const [one, two, web] = await threeHosts();
  const connection = (host: SshHost) => host.connection(keyPath());
  const program = ({
    allowDown,
    ports = [80, 443],
    weight = 1,
    removed = false,
    reversed = false,
  }: Wanted = {}) => {
    const configured = { name: "web", address: "192.168.10.11", connection: connection(web), weight };
    const directors = [
      { name: "one", connection: connection(one), interface: "eth0" },
      { name: "two", connection: connection(two), interface: "eth0" },
    ];
    const args = {
      directors: reversed ? directors.reverse() : directors,
      vrrp: { routerId: 51 },
      ...(allowDown ? { allowDown } : {}),
      vips: ["192.168.0.210"],
      services: ports.map((port) => ({ port, health: { check: { type: "tcp" } } })),
      realServers: [...(removed ? [] : [configured]), { name: "other", address: "192.168.10.12" }],
    };
    return `new lvs.DrCluster("web", ${JSON.stringify(args)});`;
  };
  const hosts = [one, two, web];
  return { one, two, web, program, images: () => hosts.map(({ fake }) => fake.snapshot()) };
}

test("while a director is down, an update that concerns it changes nothing, and any other one goes on", async () => {
  const { one, two, program, images } = await pair();
  const stack = await stackOf(program());
  await stack.up();
  const before = images();

  await two.down();
  await succeed(stack);
  const state = await stateOf(stack);
  await stack.program(program({ weight: 5 }));
  const refused = await up(stack);
  expect(refused.code, refused.text).toBe(14);
  expect(refused.text).toContain(`cannot update web: ${two.label} does not answer: `);
  expect(refused.text).toContain("Nothing was changed; run again when");

  await stack.program(program({ allowDown: true, reversed: true }));
  const other = await up(stack);
  expect(other.code, other.text).toBe(14);
  expect(other.text).toContain("another order of directors needs each of them");

  await one.down();
  await stack.program(program({ weight: 5, allowDown: true }));
  const dead = await up(stack);
  expect(dead.code, dead.text).toBe(14);
  expect(dead.text).toContain("cannot update web: no director of 192.168.0.210 answers");
  expect(images()).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
});

test("while a director is down, a mistake in the program is named, with Pulumi's code", async () => {
  const { two, program } = await pair();
  const stack = await stackOf(program());
  await stack.up();
  await two.down();
  await stack.program('throw new Error("the weight is missing");');
  const { code, text } = await up(stack);
  expect(text).toContain("pulumi-lvs: cannot preview the update: ");
  expect(text).toContain("the weight is missing");
  expect(text).toContain("nothing of this package was changed");
  expect(code).toBe((await stack.pulumi("preview")).code);
});

test("a director with another host key is updated if the program has that key, and is refused if not", async () => {
  const { two, program } = await pair();
  const stack = await stackOf(program());
  await stack.up();
  const former = program({ weight: 5, allowDown: true });
  await two.rekey();
  await stack.program(former);
  const refused = await up(stack);
  expect(refused.code, refused.text).toBe(14);
  expect(refused.text).toContain("its host key ");
  expect(refused.text).toContain("Nothing was changed; allowDown is for one that is down");

  await stack.program(program({ weight: 5 }));
  await succeed(stack);
  expect(two.fake.lines("ipvs").join("\n")).toContain("-w 5");
  await previewIsEmpty(stack);
});

test.each(["two", "one"] as const)(
  "with allowDown the others are changed while director %s is down, and the next update brings it up to date",
  async (name) => {
    const { one, two, program } = await pair();
    const [director, other] = name === "one" ? [one, two] : [two, one];
    const stack = await stackOf(program());
    await stack.up();
    const earlier = director.fake.snapshot();
    await director.down();
    // A change, a new service and one less.
    await stack.program(program({ allowDown: true, weight: 5, ports: [80, 8080] }));
    const { code, text } = await up(stack);
    expect(code, text).toBe(0);
    expect(text).toContain(`pulumi-lvs: ${director.label} does not answer, and is left out: `);
    expect(text).toContain(
      `pulumi-lvs: ${director.label} is left as it was, and serves as it was declared before`,
    );
    expect(director.fake.snapshot()).toEqual(earlier);
    const table = other.fake.lines("ipvs");
    expect(table.join("\n")).toContain("-w 5");
    expect(table.join("\n")).toContain(":8080");
    expect(table.join("\n")).not.toContain(":443");

    await director.up();
    await succeed(stack);
    expect(director.fake.lines("ipvs")).toEqual(table);
    expect(other.fake.lines("ipvs")).toEqual(table);
    await previewIsEmpty(stack);
  },
);

test("what differs from the state on a director that was away is refreshed, and nothing else is", async () => {
  const { two, program } = await pair();
  const stack = await stackOf(program({ allowDown: true }));
  await stack.up();
  const table = two.fake.lines("ipvs");
  two.fake.write("ipvs", "");
  const { code, text } = await up(stack);
  expect(code, text).toBe(0);
  expect(text).toContain(`pulumi-lvs: refreshing what differs from the state on ${two.label}\n`);
  expect(text).not.toContain("web-one-");
  expect(two.fake.lines("ipvs").toSorted()).toEqual(table.toSorted());
  await previewIsEmpty(stack);
});

test("a real server is removed while a director is down, keeps what clients of that one need, and goes when it is back", async () => {
  const { one, two, web, program } = await pair();
  const untouched = web.fake.snapshot();
  const stack = await stackOf(program({ allowDown: true }));
  await stack.up();
  const [table, server] = [two.fake.lines("ipvs"), web.fake.snapshot()];
  await two.down();
  await stack.program(program({ allowDown: true, removed: true }));
  // Pulumi has a choice of orders, and each one has to hold.
  await succeed(stack, "--parallel", "64");
  const left = one.fake.lines("ipvs");
  expect(left.join("\n")).not.toContain("192.168.10.11");
  expect(two.fake.lines("ipvs")).toEqual(table);
  expect(web.fake.snapshot()).toEqual(server);
  await succeed(stack);
  expect(one.fake.lines("ipvs")).toEqual(left);

  await two.up();
  await succeed(stack);
  expect(two.fake.lines("ipvs")).toEqual(left);
  expect(web.fake.snapshot()).toEqual(untouched);
  await previewIsEmpty(stack);
});

test("pulumi up changes nothing of a cluster while one of its directors is down", async () => {
  const { one, two, program, images } = await pair();
  const stack = await stackOf(program());
  await stack.up();
  const [before, state] = [images(), await stateOf(stack)];
  for (const director of [two, one]) {
    await director.down();
    await previewIsEmpty(stack);
    await stack.up();
    // a change on all machines, and a deletion only
    for (const wanted of [{ weight: 5, ports: [80, 8080] }, { ports: [80] }]) {
      await stack.program(program(wanted));
      const { code, text } = await stack.pulumi("up", "--yes", "--skip-preview");
      expect(code, text).not.toBe(0);
      expect(text).toMatch(new RegExp(`cannot update probe on ${director.label}: .*; check that `));
    }
    await director.up();
    expect(images()).toEqual(before);
    await stack.program(program());
    await stack.up();
    expect(await stateOf(stack)).toEqual(state);
  }
});

test("a director goes down before a rollback, which restores the others, and ends when it is back", async () => {
  const { one, two, program, images } = await pair();
  const stack = await stackOf(program());
  await stack.up();
  const [before, state] = [images(), await stateOf(stack)];
  await stack.program(program({ weight: 5 }));
  const verification = await upThatWaits(stack, inPlace);
  expect(two.fake.lines("ipvs").join()).toContain("-w 5");
  await one.down();
  const { code, text } = await verification();
  expect(code, text).toBe(11);
  expect(text).toMatch(/could not roll back:\n.* on \S+: /);
  expect(two.fake.snapshot()).toEqual(before[1]);

  await one.up();
  const rollback = await stack.pulumiLvs(["rollback"]);
  expect(rollback.code, rollback.text).toBe(0);
  expect(images()).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
});
