import { execFile } from "node:child_process";
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import ts from "typescript";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stackSchema } from "../../../stacks/stack-schema.js";
import { documentedPrograms } from "../../support/examples.js";
import { definitions } from "../../support/fake/definitions.js";
import { brokenLinks } from "../../support/links.js";

const run = promisify(execFile);
const repository = join(__dirname, "../../..");
let home: string;
let project: string;

// a project of its own, far from the repository, with the package as npm would publish it
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "lvs-consumer-"));
  project = join(home, "project");
  const installed = join(project, "node_modules/pulumi-lvs");
  mkdirSync(installed, { recursive: true });
  // a copy, since packing empties and builds dist, which other tests use
  const copy = join(home, "copy");
  const parts = [
    "src",
    "providers",
    "stacks",
    "rollback",
    "cli",
    "policy",
    "index.ts",
    "docs",
    "examples",
    "scripts",
    ...globSync("*.{md,json,yaml}", { cwd: repository }),
    "clusters.js",
    "LICENSE",
  ];
  for (const part of parts) cpSync(join(repository, part), join(copy, part), { recursive: true });
  symlinkSync(join(repository, "node_modules"), join(copy, "node_modules"));
  for (const stale of ["dist/src/gone.js", "dist/test/secret.js"]) {
    mkdirSync(dirname(join(copy, stale)), { recursive: true });
    writeFileSync(join(copy, stale), "");
  }
  await run("npm", ["pack", "--silent", "--pack-destination", home], { cwd: copy });
  const [tarball] = globSync("*.tgz", { cwd: home });
  await run("tar", ["-xzf", join(home, tarball as string), "-C", installed, "--strip-components=1"]);
  // what it depends on, one level up
  symlinkSync(join(repository, "node_modules"), join(home, "node_modules"));
}, 600_000);

afterAll(() => rmSync(home, { recursive: true, force: true }));

async function node(file: string, text: string): Promise<unknown> {
  writeFileSync(join(project, file), text);
  const { stdout } = await run(process.execPath, [file], { cwd: project });
  return JSON.parse(stdout);
}

const everything = [
  ...[...definitions.values()].map(({ kind }) => kind),
  "DrCluster",
  "NatCluster",
  "NothingToRollBackError",
  "parseClusters",
  "requireClusters",
  "rollBack",
  "upOrRollBack",
].sort();

test("the published package holds what runs, its documentation, and nothing else", () => {
  const files = globSync("**/*", {
    cwd: join(project, "node_modules/pulumi-lvs"),
    exclude: ["docs/**"],
  }).filter((name) => /\.|LICENSE/.test(name.split("/").at(-1) as string));
  expect(
    files.filter(
      (name) =>
        !/^(dist\/(src|providers|stacks|rollback|cli|policy)\/([\w-]+\/){0,2}[\w-]+\.(js|d\.ts)|dist\/index\.(js|d\.ts)|dist\/src\/shell\/(\w+\/)?[\w-]+\.(sh|awk|service|pl|py)|dist\/stack\.schema\.json|clusters\.js|dist\/policy\/(PulumiPolicy\.yaml|package\.json)|examples\/ci\/(github\/)?[\w-]+\.(sh|mjs|yml|yaml)|README\.md|CHANGELOG\.md|SECURITY\.md|Pulumi\.example\.yaml|LICENSE|package\.json)$/.test(
          name,
        ),
    ),
  ).toEqual([]);
  const sources = globSync(["{src,providers,stacks,rollback,cli,policy}/**/*.ts", "index.ts"], {
    cwd: repository,
  }).map((name) => name.replace(/\.ts$/, ""));
  for (const extension of [".js", ".d.ts"])
    expect(
      files
        .filter((name) => name.startsWith("dist/") && name.endsWith(extension))
        .map((name) => name.slice(5, -extension.length))
        .sort(),
    ).toEqual([...sources].sort());
  const shell = globSync("src/shell/**/*.{sh,awk,service,pl,py}", { cwd: repository });
  expect(shell.length).toBeGreaterThan(10);
  expect(files.filter((name) => /^dist.*\.(sh|awk|service|pl|py)$/.test(name)).sort()).toEqual(
    shell.map((name) => `dist/${name}`).sort(),
  );
});

test("it holds the schema by which editors check a stack's file", () => {
  const text = readFileSync(join(project, "node_modules/pulumi-lvs/dist/stack.schema.json"), "utf8");
  const isText = (key: string, value: unknown) => key === "description" && typeof value === "string";
  const bare = JSON.parse(text, (key, value) => (isText(key, value) ? undefined : value));
  expect(bare).toEqual(JSON.parse(JSON.stringify(stackSchema())));
  // each field has the documentation of its TypeScript argument
  const bald = new Set<string>();
  JSON.parse(text, (key, value) => {
    if (key === "properties")
      for (const [name, field] of Object.entries(value))
        if (!("description" in (field as object))) bald.add(name);
    return value;
  });
  // What Pulumi's own file has around the value, and the form of an encrypted text.
  expect([...bald].sort()).toEqual(["config", "secure"]);
});

test("a CommonJS project requires it, and Pulumi finds the provider in it", async () => {
  expect(
    await node(
      "program.cjs",
      `const exported = Object.keys(require("pulumi-lvs")).sort();
      const provider = { kind: "RealServer" };
      require("node:module").createRequire(process.cwd() + "/")("pulumi-lvs/provider").install(provider, {});
      const { version } = require("pulumi-lvs/package.json");
      provider.check({}, { connection: { host: "a" }, service: "tcp://192.168.0.219:80", address: "10.0.0.300", port: 80 }).then(({ failures }) =>
        console.log(JSON.stringify({ exported, verbs: Object.keys(provider).sort(), failures, version: typeof version })));`,
    ),
  ).toEqual({
    exported: everything,
    verbs: ["check", "create", "delete", "diff", "kind", "read", "update"],
    failures: [{ property: "address", reason: '"10.0.0.300" is not an IP address' }],
    version: "string",
  });
});

test("an ES module imports it by name", async () => {
  expect(
    await node(
      "program.mjs",
      `import { ${everything.join(", ")} } from "pulumi-lvs";
      const classes = [${everything.join(", ")}];
      console.log(JSON.stringify(classes.map((one) => typeof one)));`,
    ),
  ).toEqual(everything.map(() => "function"));
});

// What people write, each line for a field that types made wrong once.
const program = `import * as pulumi from "@pulumi/pulumi";
import * as lvs from "pulumi-lvs";
import { install } from "pulumi-lvs/provider";
const connection = { host: "d" };
const text = pulumi.output("eth0");
const service = "tcp://192.0.2.1:80";
new lvs.HealthMonitor("checks", { connection: { host: "d" }, service, check: { path: "/x" } });
new lvs.Sysctl("limits", { connection: { host: "d", operationTimeout: 60, sudo: false, proxy: { host: text } }, name: "a.b", value: "1" });
lvs.RealServer.get("a", { connection, service, address: "10.0.0.1", port: 8080, forwarding: "masquerading" });
lvs.VirtualService.get("b", { connection, address: "192.0.2.1", port: 0 });
lvs.SyncDaemon.get("c", { connection, state: "master" });
// @ts-expect-error an address is not a check
new lvs.HealthMonitor("wrong", { connection, service, check: { address: "192.0.2.1" } });
// @ts-expect-error a field with a typing error
new lvs.RealServer("wrong", { connection, service, address: "10.0.0.1", wieght: 1 });
const web = new lvs.DrCluster("web", {
  director: { connection: { host: text }, interface: text, syncDaemon: { state: "master", mcastInterface: text } },
  vips: [{ name: "front", address: text }],
  services: [{ port: 80, scheduler: "wlc", health: { check: { path: "/x" } } }, { port: 443, members: { web1: null } }],
  realServers: [{ name: "web1", address: text, connection: { host: "web1" } }],
});
const maybe = process.env.CI ? 3 : undefined;
const page = pulumi.output("/x");
new lvs.HealthMonitor("fields", { connection, service, check: { path: page, port: maybe }, sorryServer: { address: text } });
new lvs.RealServer("absent", { connection, service, address: text, port: 80, weight: maybe, drain: maybe ? { timeout: maybe } : undefined });
new lvs.NatCluster("absent", {
  director: { connection, interface: text, dip: maybe ? "10.1.0.1" : undefined, syncDaemon: undefined },
  vips: [{ address: "192.0.2.1", label: maybe ? "eth0:1" : undefined }],
  services: [{ port: 80, realServerPort: maybe, persistence: { timeout: maybe }, drain: { timeout: pulumi.output(9) }, health: maybe ? { check: { path: page, through: undefined }, interval: pulumi.output(5), quorum: { weight: maybe } } : undefined }],
  realServers: [{ name: maybe ? "a" : undefined, address: "10.1.0.2", weight: maybe, sysctls: undefined }],
  probe: maybe ? { from: connection, path: page, status: pulumi.output(204), servers: maybe } : undefined,
  ...{ drain: undefined, adopt: undefined, returnRoutes: undefined },
});
for (const [name, { kind, ...args }] of Object.entries(lvs.requireClusters()))
  kind === "dr" ? new lvs.DrCluster(name, args) : new lvs.NatCluster(name, args);
for (const [name, args] of Object.entries(lvs.requireClusters()))
  args.kind === "dr" ? new lvs.DrCluster(name, args) : new lvs.NatCluster(name, args);
export const all = [web.services, web.virtualServices[0]?.id, lvs.upOrRollBack, install];`;

/** Returns the folder of a version of TypeScript. The tool that checks the types of packages brings version 5. */
function compilerOf(version: number): string {
  const own = createRequire(join(repository, "package.json"));
  const cli = createRequire(own.resolve("@arethetypeswrong/cli/package.json"));
  const finder = version === 5 ? createRequire(cli.resolve("@arethetypeswrong/core")) : own;
  const description = finder.resolve("typescript/package.json");
  expect(JSON.parse(readFileSync(description, "utf8")).version).toMatch(new RegExp(`^${version}\\.`));
  return dirname(description);
}

/** Compiles files with a tsconfig.json that looks into the types of packages. Returns the compiler's messages. */
async function mistakes(compiler: number, files: string[], options: object): Promise<string> {
  const strict = { strict: true, target: "es2020", noEmit: true, types: ["node"] };
  const config = "tsconfig.json";
  writeFileSync(
    join(project, config),
    JSON.stringify({
      compilerOptions: { ...strict, ...options },
      files,
    }),
  );
  const tsc = join(compilerOf(compiler), "bin/tsc");
  return run(process.execPath, [tsc, "-p", config], { cwd: project }).then(
    () => "",
    ({ stdout, message }) => stdout || message,
  );
}

// Each value of an option meets each value of the others.
test.each([
  { compiler: 5, module: "commonjs", moduleResolution: "node", exactOptionalPropertyTypes: true },
  { compiler: 5, module: "node16", moduleResolution: "node16" },
  {
    compiler: 5,
    module: "esnext",
    moduleResolution: "bundler",
    exactOptionalPropertyTypes: true,
  },
  {
    compiler: 6,
    module: "commonjs",
    moduleResolution: "node",
    allowSyntheticDefaultImports: false,
    ignoreDeprecations: "6.0",
  },
  {
    compiler: 6,
    module: "node16",
    moduleResolution: "node16",
    exactOptionalPropertyTypes: true,
  },
  { compiler: 6, module: "esnext", moduleResolution: "bundler" },
])(
  "a program and each documented example compile: %j",
  async ({ compiler, ...options }) => {
    const examples = documentedPrograms();
    expect(examples.length).toBeGreaterThanOrEqual(20);
    const files = examples.map(({ place, code }) => {
      const file = `${place.replaceAll(/\W/g, "-")}.ts`;
      writeFileSync(join(project, file), `import * as lvs from "pulumi-lvs";\n${code}`);
      return file;
    });
    writeFileSync(join(project, "index.ts"), program);
    expect(await mistakes(compiler, ["index.ts", ...files], options)).toBe("");
  },
  600_000,
);

test("an editor shows what a field is, also where it may be an output", () => {
  const file = join(project, "hover.ts");
  const text = `import * as lvs from "pulumi-lvs";
new lvs.Sysctl("limits", { connection: { host: "d", sudo: false, operationTimeout: 60 }, name: "a.b", value: "1" });
new lvs.HealthMonitor("checks", { connection: { host: "d" }, service: "", check: { path: "/x" } });
new lvs.NatCluster("web", { services: [{ drain: { timeout: 9 }, health: { slowStart: 3 } }] } as lvs.NatClusterArgs);`;
  writeFileSync(file, text);
  const service = ts.createLanguageService({
    getCompilationSettings: () => ({
      ...{ strict: true, module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16 },
      types: [],
    }),
    getScriptFileNames: () => [file],
    getScriptVersion: () => "1",
    getScriptSnapshot: (name) =>
      ts.sys.fileExists(name) ? ts.ScriptSnapshot.fromString(readFileSync(name, "utf8")) : undefined,
    getCurrentDirectory: () => project,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    directoryExists: ts.sys.directoryExists,
  });
  const shown = (field: string) =>
    ts.displayPartsToString(service.getQuickInfoAtPosition(file, text.indexOf(`${field}:`))?.documentation);
  for (const field of ["sudo", "operationTimeout", "value", "path", "timeout", "slowStart"])
    expect([field, shown(field)]).toEqual([field, expect.stringMatching(/\w{4}/)]);
  service.dispose();
});

test("nothing but its two doors and its description can be reached", async () => {
  expect(
    await node(
      "doors.cjs",
      `const codeOf = (name) => { try { require.resolve(name); return "open"; } catch (error) { return error.code; } };
      console.log(JSON.stringify(["pulumi-lvs/dist/src/host/host.js", "pulumi-lvs/src/host/host", "pulumi-lvs/provider"].map(codeOf)));`,
    ),
  ).toEqual(["ERR_PACKAGE_PATH_NOT_EXPORTED", "ERR_PACKAGE_PATH_NOT_EXPORTED", "open"]);
});

test("a stack's file is a program by one line of Pulumi.yaml", async () => {
  const web = {
    kind: "dr",
    director: { connection: { host: "lb1" }, interface: "eth0" },
    vips: ["192.0.2.10"],
    services: [{ port: 80 }],
    realServers: [{ name: "web1", address: "192.0.2.21" }],
  };
  expect(
    await node(
      "door.cjs",
      `const pulumi = require("@pulumi/pulumi");
      const made = [];
      pulumi.runtime.setMocks({
        call: ({ inputs }) => inputs,
        newResource: ({ name, inputs }) => { made.push(name); return { id: name, state: inputs }; },
      }, "shop", "prod").then(async () => {
        pulumi.runtime.setConfig("shop:clusters", ${JSON.stringify(JSON.stringify({ web }))});
        const { clusters } = require("./node_modules/pulumi-lvs/clusters.js");
        await new Promise((done) => pulumi.output(clusters).apply(done));
        console.log(JSON.stringify(made));
      });`,
    ),
  ).toContain("web-tcp-192.0.2.10-80-web1");
  const readme = readFileSync(join(repository, "README.md"), "utf8");
  const [, main = ""] = /main: (\S+clusters\.js)/.exec(readme) ?? [];
  expect(statSync(join(project, main)).isFile()).toBe(true);
});

test("its command runs from where it is installed", async () => {
  const installed = join(project, "node_modules/pulumi-lvs");
  const { bin } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  const command = join(installed, bin["pulumi-lvs"]);
  expect(readFileSync(command, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  const { stdout } = await run(process.execPath, [command, "--help"], { cwd: project });
  // where npx runs it in a checkout, npm sets no mode
  expect(statSync(join(home, "copy", bin["pulumi-lvs"])).mode & 0o111).toBe(0o111);
  expect(stdout).toMatch(/^Usage: pulumi-lvs COMMAND [\s\S]*\n {2}up .*[\s\S]*\n {2}rollback /);
});

test("npx finds the command in a checkout, as in a project that has the package", async () => {
  const { version } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
  const { stdout } = await run("npx", ["--no", "--", "pulumi-lvs", "--version"], { cwd: repository });
  expect(stdout).toBe(`${version}\n`);
});

test("links in its documents lead to what is packed with them, and to headings that are there", () => {
  const installed = join(project, "node_modules/pulumi-lvs");
  const documents = globSync(["*.md", "docs/**/*.md"], { cwd: installed });
  expect(documents.length).toBeGreaterThan(20);
  expect(documents.flatMap((document) => brokenLinks(installed, document))).toEqual([]);
});

test("it says where it comes from, and takes fixes of what it depends on", () => {
  const described = JSON.parse(readFileSync(join(project, "node_modules/pulumi-lvs/package.json"), "utf8"));
  const url = "https://github.com/pulumi-lvs/pulumi-lvs";
  expect(described).toMatchObject({
    homepage: `${url}#readme`,
    bugs: { url: `${url}/issues` },
    repository: { type: "git", url: `git+${url}.git` },
  });
  expect(Object.values(described.dependencies).filter((range) => !/^\^\d/.test(String(range)))).toEqual([]);
});
