import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import freshBuild from "../fake/fresh-build.js";
import { clientKeyIn, SshHost } from "../fake/ssh-host.js";
import { Stack } from "../on-lab/stack.mjs";

let place: string;
let key: ReturnType<typeof clientKeyIn>;

beforeAll(() => {
  freshBuild();
  place = mkdtempSync(join(tmpdir(), "lvs-rollback-"));
  key = clientKeyIn(place);
});

afterAll(() => rmSync(place, { recursive: true, force: true }));

async function hosts(count: number): Promise<SshHost[]> {
  const made = await Promise.all(Array.from({ length: count }, () => SshHost.start(key.key)));
  onTestFinished(async () => {
    for (const host of made) await host.dispose();
  });
  return made;
}

async function stackOf(program: string): Promise<Stack> {
  const stack = await Stack.ofProgram(program, {
    PULUMI_HOME: join(place, "home"),
    LVS_SSH_CONFIG: "/dev/null",
  });
  onTestFinished(() => stack.dispose());
  return stack;
}

const up = (stack: Stack, ...args: string[]) =>
  stack.pulumiLvs(["up", "--yes", "--skip-preview", "--non-interactive", "--color", "never", ...args]);

test("smoke", async () => {
  const three = await hosts(3);
  const connections = JSON.stringify(three.map((host) => host.connection(key.path)));
  const program = (weights: (number | undefined)[]) => `
const connections = ${connections};
const weights = ${JSON.stringify(weights)};
connections.forEach((connection, i) => {
  const web = new lvs.VirtualService("web" + i, { connection, address: "192.168.0.210", port: 80 });
  if (weights[i]) new lvs.RealServer("rs" + i, { connection, service: web.id, address: "192.168.10.11", port: 80, weight: weights[i] });
});
exports.weights = weights;
`;
  const stack = await stackOf(program([1, 1, undefined]));
  console.log((await up(stack)).text);
  const before = three.map((h) => h.fake.lines("ipvs"));
  const resources = await stack.resources();
  console.log(before);
  await stack.program(program([2, 3, 4]));
  three[1]?.fake.failCommand("step", 0);
  const { code, text } = await up(stack);
  console.log(text);
  expect(code).toBe(10);
  three[1]?.fake.mend();
  expect(three.map((h) => h.fake.lines("ipvs"))).toEqual(before);
  await stack.program(program([1, 1, undefined]));
  const preview = await stack.pulumi("preview", "--diff", "--expect-no-changes");
  console.log(preview.text);
  expect(preview.code).toBe(0);
  void resources;
});
