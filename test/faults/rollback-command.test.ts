import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { dynamicClass } from "./harness/dynamic-class.js";
import {
  attributesOf,
  inTable,
  previewIsEmpty,
  rollBackKilled,
  stateOf,
  succeed,
  tables,
  up,
  updates,
  upKilledAtFirstStep,
  upThatWaits,
} from "./harness/real-updates.js";

const { threeHosts, stackOf, servicesOn, inPlace, keyPath, environment } = updates();

// `npx pulumi-lvs rollback`, and what a rollback leaves in state.

test("a host that is down while others are rolled back is named, and rollback goes on when it is up again", async () => {
  const hosts = await threeHosts();
  const old = servicesOn(hosts, { weights: [1, 1, 1] });
  const stack = await stackOf(old);
  await stack.up();
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(servicesOn(hosts, { weights: [2, 2, 2] }));
  const finish = await upThatWaits(stack, inPlace);
  const label = hosts[1].label;
  await hosts[1].down();
  const { code, text } = await finish();
  expect(code, text).toBe(11);
  expect(text).toMatch(
    new RegExp(`could not roll back:\npulumi-lvs: {3}RealServer rs1 on ${label}: .*cannot be reached at`),
  );
  expect(text).toMatch(/correct what is named there, then run: npx pulumi-lvs rollback\n$/);
  expect(tables(hosts)).toEqual([before[0], tables(hosts)[1], before[2]]);
  expect(tables(hosts)[1]).not.toEqual(before[1]);

  await hosts[1].up();
  const again = await stack.pulumiLvs(["rollback"]);
  expect(again.code, again.text).toBe(0);
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
  await stack.program(old);
  await previewIsEmpty(stack);
});

test("an update whose processes were killed is rolled back by rollback, with what was on its way", async () => {
  const hosts = await threeHosts();
  const old = servicesOn(hosts, { weights: [1, undefined, 1] });
  const stack = await stackOf(old);
  await stack.up();
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(servicesOn(hosts, { weights: [2, 2, 1] }));
  await upKilledAtFirstStep(stack, hosts[1], "-w 2", () => inTable(hosts[0], "-w 2"));
  await rollBackKilled(stack);
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
});

test("rollback undoes what went through, by the copy, in which nothing secret is in clear", async () => {
  const hosts = await threeHosts();
  const old = servicesOn(hosts, { weights: [1, 1, undefined] });
  const stack = await stackOf(old);
  await stack.up();
  const [before, state] = [tables(hosts), await stateOf(stack)];
  const noted = inPlace("environment");
  const tells = `require("node:fs").writeFileSync(${JSON.stringify(noted)}, JSON.stringify(process.env));`;
  await stack.program(`${servicesOn(hosts, { weights: [2, undefined, 3] })}\n${tells}`);
  stack.environment({ NODE_COMPILE_CACHE: "", XDG_CACHE_HOME: inPlace("cache") });
  await succeed(stack);
  expect(JSON.parse(readFileSync(noted, "utf8"))).toMatchObject({
    PULUMI_PARALLEL: "64",
    NODE_COMPILE_CACHE: inPlace("cache/pulumi-lvs/compiled"),
  });
  expect(globSync("*", { cwd: inPlace("cache/pulumi-lvs/compiled") }), "compiled code").not.toEqual([]);
  const copies = globSync("pulumi-lvs/*", { cwd: stack.env.PULUMI_HOME as string });
  expect(copies).toHaveLength(1);
  const copy = join(stack.env.PULUMI_HOME as string, copies[0] as string);
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  expect(readFileSync(copy, "utf8")).toMatch(/ciphertext/);
  expect(readFileSync(copy, "utf8")).not.toContain("planted-secret");

  const { code, text } = await stack.pulumiLvs(["rollback"]);
  expect(code, text).toBe(0);
  expect(text).toMatch(/rolling back the update of .*, by the copy that `pulumi-lvs up` saved\n/);
  expect(text).not.toContain("planted-secret");
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
  await stack.program(old);
  await previewIsEmpty(stack);

  const again = await stack.pulumiLvs(["rollback"]);
  expect(again).toEqual({
    code: 1,
    text: "pulumi-lvs: cannot roll back: the last update was itself a rollback; update the stack to what it shall be by `pulumi up`\n",
  });
});

test("rollback undoes an update of pulumi up, by the backend's history", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(servicesOn(hosts, { weights: [1, 1, undefined] }));
  const none = await stack.pulumiLvs(["rollback"]);
  expect(none).toEqual({ code: 1, text: "pulumi-lvs: cannot roll back: the stack has had no update yet\n" });
  const attributes = attributesOf(stack);
  writeFileSync(attributes, "");
  expect(await stack.pulumiLvs(["rollback"])).toEqual({
    code: 1,
    text: expect.stringMatching(
      /EOF; if the backend is a folder, delete the empty file \.pulumi\/stacks\/PROJECT\/STACK\.json\.attrs in it: /,
    ),
  });
  rmSync(attributes);
  await stack.up();
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(servicesOn(hosts, { weights: [2, undefined, 3] }));
  // the words of the message decide nothing
  const updated = await stack.pulumi("up", "--yes", "--skip-preview", "--message", "pulumi-lvs rollback");
  expect(updated.code, updated.text).toBe(0);
  await stack.refresh();
  const { code, text } = await stack.pulumiLvs(["rollback"]);
  expect(code, text).toBe(0);
  expect(text).toMatch(/by the backend's history\n/);
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
  expect((await stack.pulumiLvs(["rollback"])).text).toMatch(/was itself a rollback/);
});

test("rollback deletes nothing of a stack that was imported, after a run that died and after pulumi up", async () => {
  const hosts = await threeHosts();
  const old = await stackOf(servicesOn(hosts, { weights: [1, 1, undefined] }));
  await old.up();
  const stack = await old.elsewhere({});
  onTestFinished(() => stack.dispose());
  stack.environment({ PULUMI_BACKEND_URL: `file://${mkdtempSync(inPlace("backend-"))}` });
  const file = inPlace("exported.json");
  for (const [one, ...command] of [
    [old, "export", "--file", file],
    [stack, "init", "program"],
    [stack, "import", "--file", file],
  ] as const) {
    const { code, text } = await one.pulumi("stack", ...command);
    expect(code, text).toBe(0);
  }
  await stack.program(servicesOn(hosts, { weights: [2, 1, 3] }));
  await upKilledAtFirstStep(stack, hosts[0], "-w 2");
  expect((await stack.pulumi("cancel", "--yes")).code).toBe(0);
  // as from another computer, which has no copy
  stack.environment({ PULUMI_HOME: environment().PULUMI_HOME, FIRST_HOME: old.env.PULUMI_HOME as string });
  const left = tables(hosts);
  expect(await stack.pulumiLvs(["rollback", "--stack", "program"])).toEqual({
    code: 1,
    text: "pulumi-lvs: cannot roll back: nothing is known of the time before the last run: the history has no earlier state with resources, as after `pulumi stack import`; restore the program, and run `pulumi up`\n",
  });
  expect(tables(hosts)).toEqual(left);

  await stack.up("--refresh");
  const done = tables(hosts);
  const { code, text } = await stack.pulumiLvs(["rollback", "--stack", "program"]);
  expect(code, text).toBe(1);
  expect(text).toMatch(
    /^pulumi-lvs: cannot roll back: nothing is known of the time before the last update: the first update of the history met a stack that was not empty \(.*same.*\), as after/,
  );
  expect(tables(hosts)).toEqual(done);
});

test("state tells where in the program a resource was made, and has at most 2 KB for each", async () => {
  const hosts = await threeHosts();
  const server = `const { password, dialErrorLimit, ...connection } = connections[0];
const web = new lvs.VirtualService("web", { connection, address: "192.168.0.210", port: 80 });
new lvs.RealServer("rs1", { connection, service: web.id, address: "192.168.10.11", port: 80, weight: 3 });`;
  const stack = await stackOf(servicesOn(hosts, { weights: [], more: server }));
  await stack.up();
  const made = (await stack.resources()).filter(({ type }) => type.includes(":dynamic/lvs:"));
  expect(made.map(({ sourcePosition }) => sourcePosition)).toEqual(
    Array.from({ length: 2 }, () => expect.stringMatching(/^project:\/\/\/index\.js#/)),
  );
  for (const one of made) expect(JSON.stringify(one).length, one.urn).toBeLessThanOrEqual(2048);
});

test("state stays whole where many resources depend on another package's", async () => {
  const [host] = await threeHosts();
  const program = (more: string) => `
const connection = ${JSON.stringify(host.connection(keyPath()))};
${dynamicClass("Neighbour", '{ async create(outs) { return { id: "neighbour", outs }; } }')}
const first = new Neighbour("first", {}), second = new Neighbour("second", {}, { dependsOn: first });
for (let i = 1; i <= 60; i++)
  new lvs.VirtualService("web" + i, { connection, address: "10.0.0." + i, port: 80 }, { dependsOn: [first, second][i % 2] });
${more}`;
  const stack = await stackOf(program(""));
  await stack.up("--parallel", "64");
  const state = await stateOf(stack);
  await stack.program(
    program(
      'new lvs.VirtualService("held", { connection, address: "10.0.1.1", port: 80 }, { protect: true });',
    ),
  );
  // the engine may break it in one run and not in the next
  for (let i = 0; i < 3; i++) {
    const { code, text } = await up(stack, "--verify", "exit 1");
    expect(code, text).toBe(10);
  }
  expect(await stateOf(stack)).toEqual(state);
});
