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
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stackSchema } from "../../../stacks/stack-schema.js";
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
    "index.ts",
    "docs",
    "scripts",
    ...globSync("*.{md,json,yaml}", { cwd: repository }),
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
  "ArpSuppression",
  "DrCluster",
  "HealthMonitor",
  "HostRoute",
  "IpForwarding",
  "IpvsTimeouts",
  "KernelModule",
  "NatCluster",
  "NothingToRollBackError",
  "RealServer",
  "ServiceProbe",
  "SyncDaemon",
  "Sysctl",
  "VirtualAddress",
  "VirtualService",
  "parseClusters",
  "requireClusters",
  "rollBack",
  "upOrRollBack",
];

test("the published package holds what runs, its documentation, and nothing else", () => {
  const files = globSync("**/*", {
    cwd: join(project, "node_modules/pulumi-lvs"),
    exclude: ["docs/**"],
  }).filter((name) => /\.|LICENSE/.test(name.split("/").at(-1) as string));
  expect(
    files.filter(
      (name) =>
        !/^(dist\/(src|providers|stacks|rollback|cli)\/([\w-]+\/)?[\w-]+\.(js|d\.ts)|dist\/index\.(js|d\.ts)|dist\/src\/shell\/(\w+\/)?[\w-]+\.(sh|awk|service)|dist\/stack\.schema\.json|README\.md|CHANGELOG\.md|SECURITY\.md|Pulumi\.example\.yaml|LICENSE|package\.json)$/.test(
          name,
        ),
    ),
  ).toEqual([]);
  const sources = globSync(["{src,providers,stacks,rollback,cli}/**/*.ts", "index.ts"], {
    cwd: repository,
  }).map((name) => name.replace(/\.ts$/, ""));
  for (const extension of [".js", ".d.ts"])
    expect(
      files
        .filter((name) => name.startsWith("dist/") && name.endsWith(extension))
        .map((name) => name.slice(5, -extension.length))
        .sort(),
    ).toEqual([...sources].sort());
  const shell = globSync("src/shell/**/*.{sh,awk,service}", { cwd: repository });
  expect(shell.length).toBeGreaterThan(10);
  expect(files.filter((name) => /\.(sh|awk|service)$/.test(name)).sort()).toEqual(
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
    failures: [{ property: "address", reason: '"10.0.0.300" is no IP address' }],
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

test("a program compiles with the tsconfig.json that Pulumi writes, which looks into the types of packages", async () => {
  writeFileSync(
    join(project, "index.ts"),
    `import { DrCluster, NatCluster, RealServer, requireClusters, upOrRollBack } from "pulumi-lvs";
    import { install } from "pulumi-lvs/provider";
    const web = new DrCluster("web", {
      director: { connection: { host: "director1" }, interface: "eth0" },
      vips: ["192.168.0.210"],
      services: [{ port: 80, scheduler: "wlc" }],
      realServers: [{ address: "192.168.0.221", connection: { host: "web1" } }],
    });
    for (const [name, { kind, ...args }] of Object.entries(requireClusters()))
      kind === "dr" ? new DrCluster(name, args as never) : new NatCluster(name, args as never);
    export const all = [web.services, RealServer, upOrRollBack, install];`,
  );
  // zod's types need other options; the last three lines are for this compiler, which is newer
  const compilerOptions = {
    strict: true,
    target: "es2020",
    module: "commonjs",
    moduleResolution: "node",
    experimentalDecorators: true,
    noEmit: true,
    types: ["node"],
    allowSyntheticDefaultImports: false,
    ignoreDeprecations: "6.0",
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["index.ts"] }));
  const compiler = join(repository, "node_modules/typescript/bin/tsc");
  await run(process.execPath, [compiler, "-p", project]).catch(({ stdout }) => expect(stdout).toBe(""));
}, 600_000);

test("nothing but its two doors and its description can be reached", async () => {
  expect(
    await node(
      "doors.cjs",
      `const codeOf = (name) => { try { require.resolve(name); return "open"; } catch (error) { return error.code; } };
      console.log(JSON.stringify(["pulumi-lvs/dist/src/host/host.js", "pulumi-lvs/src/host/host", "pulumi-lvs/provider"].map(codeOf)));`,
    ),
  ).toEqual(["ERR_PACKAGE_PATH_NOT_EXPORTED", "ERR_PACKAGE_PATH_NOT_EXPORTED", "open"]);
});

test("its command runs from where it is installed", async () => {
  const installed = join(project, "node_modules/pulumi-lvs");
  const { bin } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  const command = join(installed, bin["pulumi-lvs"]);
  expect(readFileSync(command, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  const { stdout } = await run(process.execPath, [command, "--help"], { cwd: project });
  // where npx runs it in a checkout, npm sets no mode
  expect(statSync(join(home, "copy", bin["pulumi-lvs"])).mode & 0o111).toBe(0o111);
  expect(stdout).toMatch(/^usage: pulumi-lvs up .*\n +pulumi-lvs rollback /);
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
