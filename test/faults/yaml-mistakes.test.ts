import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Answer, Stack } from "../lab/stack.mjs";

// What the real Pulumi CLI prints where a stack's file is wrong, or where the checkout is not ready.

const checkout = join(__dirname, "../..");
let stack: Stack;

const right = `config:
  lvs:clusters:
    web:
      kind: dr
      director: { connection: { host: lb1 }, interface: eth0 }
      vips: [203.0.113.10]
      services: [{ port: 80, scheduler: wlc }]
      realServers:
        - { name: web1, address: 203.0.113.21, connection: { host: web1 } }
`;

/** Previews a stack's file. */
const preview = (text: string): Promise<Answer> => {
  writeFileSync(join(stack.folder, "Pulumi.prod.yaml"), text);
  return stack.pulumi("preview");
};

/** Returns the diagnostics, without the lines that show progress. */
const reported = ({ text }: Answer): string => text.split("Diagnostics:")[1] ?? text;

beforeAll(async () => {
  const { Stack } = await import("../lab/stack.mjs");
  stack = await Stack.ofEnvironment("prod", { configuration: right });
});

afterAll(() => stack?.dispose());

const cases = join(checkout, "test/cases/mistakes");

// Pulumi reads the file before any program runs, so these lines are Pulumi's own.
test.each([
  ["50-yaml-unclosed.yaml", /line \d+: did not find expected/],
  ["51-yaml-indent.yaml", /line \d+: did not find expected key/],
  ["52-yaml-tab.yaml", /line \d+: found (a tab )?character/],
  ["57-dup-key.yaml", /line \d+: .*"vips" already/],
])("%s ends the preview with the line, and without a stack trace", async (file, expected) => {
  const answer = await preview(readFileSync(join(cases, file), "utf8"));
  expect(answer.code).not.toBe(0);
  expect(answer.text).toMatch(/^error: /);
  expect(answer.text).toMatch(expected);
  expect(answer.text).not.toMatch(/^ +at /m);
});

test("one preview shows every mistake of a file, fails and registers nothing", async () => {
  const answer = await preview(
    right
      .replace("203.0.113.21", "203.0.113.321")
      .replace("scheduler: wlc", 'scheduler: rrr, lb_algo: rr, label: "eth0:1 \\"x"')
      .replace("interface: eth0", "interface: eth 0"),
  );
  expect(answer.code).not.toBe(0);
  expect(
    reported(answer)
      .match(/clusters\.web\.\S+/g)
      ?.sort(),
  ).toEqual([
    "clusters.web.director.interface:",
    "clusters.web.realServers[0].address:",
    "clusters.web.services[0].label:",
    "clusters.web.services[0].lb_algo:",
    "clusters.web.services[0].scheduler:",
  ]);
  expect(answer.text).not.toMatch(/^ +at |lvs:index|dynamic\/lvs/m);
  expect(await stack.resources()).toEqual([]);
});

// No code of this package is loaded then. A dynamic provider comes with the inputs, and an import has none.
test("pulumi import fails with the message that the docs explain", async () => {
  await preview(right);
  const type = "pulumi-nodejs:dynamic/lvs:Sysctl";
  const { code, text } = await stack.pulumi("import", type, "one", "lb1/net.core.somaxconn", "--yes");
  expect(code).not.toBe(0);
  const [, message = ""] = /error: Preview failed: (.+)/.exec(text) ?? [];
  const row = readFileSync(join(checkout, "docs/failures.md"), "utf8")
    .split("\n")
    .find((line) => line.includes("`pulumi import`"));
  expect(row).toContain(`\`${message}\``);
  expect(message).not.toBe("");
});

test("a checkout without a build, or without npm packages, says in one line what to do", async () => {
  const place = (name: string) => join(stack.folder, name);
  rmSync(place("clusters.js"));
  cpSync(join(checkout, "clusters.js"), place("clusters.js"));
  rmSync(place("dist"));
  const unbuilt = await preview(right);
  expect(unbuilt.code).not.toBe(0);
  expect(reported(unbuilt)).toMatch(
    /^ +error: cannot read the clusters of this stack: pulumi-lvs in \S+ is not built; run `npm run build` there$/m,
  );
  expect(unbuilt.text).not.toMatch(/^ +at /m);

  rmSync(place("node_modules"));
  const uninstalled = await preview(right);
  expect(uninstalled.code).not.toBe(0);
  expect(uninstalled.text).toMatch(/npm install/);
  expect(uninstalled.text).not.toMatch(/^ +at /m);
});

test("npm run build and npm run check without npm packages say so in one line", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lvs-uninstalled-"));
  for (const part of ["package.json", "scripts"])
    cpSync(join(checkout, part), join(folder, part), { recursive: true });
  for (const script of ["build", "check"]) {
    const { code, text } = await new Promise<Answer>((done) =>
      execFile("npm", ["run", "--silent", script], { cwd: folder }, (error, stdout, stderr) =>
        done({ code: error ? Number(error.code ?? 1) : 0, text: stdout + stderr }),
      ),
    );
    expect([script, code, text]).toEqual([
      script,
      1,
      `the npm packages of ${folder} are not installed; run \`npm ci\` there\n`,
    ]);
  }
  rmSync(folder, { recursive: true, force: true });
});
