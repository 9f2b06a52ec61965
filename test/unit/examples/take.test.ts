import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const script = join(__dirname, "../../../examples/ci/ci.sh");
let place: string;

const git = (args: readonly string[], input?: string): string =>
  execFileSync("git", args, { cwd: place, encoding: "utf8", stdio: "pipe", ...(input ? { input } : {}) });

const base = `encryptionsalt: v1:abc:def
environment:
  - shared
# a comment
config:
  lvs:clusters:
    web:
      kind: dr
  shop:size: 3
  aws:region: eu-central-1
`;

/** What a commit does to files: text, or a line of git-fast-import. */
type Change = Readonly<Record<string, string | { readonly command: string }>>;

const edited = (text: string): Change => ({ "Pulumi.prod.yaml": text });
const replaced = (from: string, to: string): Change => edited(base.replace(from, to));

const yaml: Readonly<Record<string, Change>> = {
  "a value of a cluster": replaced("kind: dr", "kind: nat"),
  "a new cluster": replaced("      kind: dr\n", "      kind: dr\n    shop:\n      kind: nat\n"),
  "a value of the project in two stacks": {
    "Pulumi.prod.yaml": base.replace("size: 3", "size: 4"),
    "Pulumi.test.yaml": base.replace("size: 3", "size: 4"),
  },
  "a value without a namespace": replaced("  shop:size: 3\n", "  shop:size: 3\n  more: 1\n"),
  "a text in quotes": replaced("kind: dr", `kind: 'nat'\n      vips: ["10.0.0.1", "2001:db8::1"]`),
  nothing: {},
};

const code: Readonly<Record<string, Change>> = {
  "a program": { "index.js": "1" },
  "a program next to a stack": { ...replaced("kind: dr", "kind: nat"), "ci.yml": "" },
  "the project": { "Pulumi.yaml": "name: shop\nruntime: python\n" },
  "a new stack": { "Pulumi.new.yaml": base },
  "a stack in a folder": { "more/Pulumi.prod.yaml": base },
  "a deleted stack": { "Pulumi.test.yaml": { command: "D Pulumi.test.yaml" } },
  "a stack that becomes a link": {
    "Pulumi.prod.yaml": { command: "M 120000 inline Pulumi.prod.yaml\ndata 11\n/etc/passwd" },
  },
  "a stack that may be executed": {
    "Pulumi.prod.yaml": { command: `M 100755 inline Pulumi.prod.yaml\ndata ${base.length}\n${base}` },
  },
  "an environment": replaced("  - shared", "  - other"),
  "a secrets provider": edited(`secretsprovider: hashivault://key\n${base}`),
  "a secrets provider at the end": edited(`${base}secretsprovider: hashivault://key\n`),
  "another salt": replaced("v1:abc:def", "v1:abc:deg"),
  "configuration in one line": replaced("config:\n", "config: { }\n"),
  "a key in quotes": replaced("config:\n", '"config":\n'),
  "another document": edited(`${base}---\nenvironment: [evil]\n`),
  "configuration of another package": replaced("eu-central-1", "us-east-1"),
  "the engine's own configuration": edited(`${base}  pulumi:disable-default-providers: ["*"]\n`),
  "the version of a plugin": edited(`${base}  command:version: 9.9.9\n`),
  "keys that are indented in another way": edited(base.replaceAll(/^ {2}(?=lvs|shop|aws)/gm, "    ")),
  "a part of the file within a text": edited(
    `config:\n  lvs:x: "\n${base.replace("config:\n", 'config:\n  lvs:y: "\n')}`,
  ),
  "another part config": edited(`${base}config:\n  lvs:x: 1\n`),
  "configuration of another package within a text": edited(
    base.replace("  aws:", '  shop:x: "\n  aws:').concat('  shop:y: "\n'),
  ),
  "quotes that are of no text": replaced("kind: dr", 'kind: { a", b: "c }'),
  "quotes in a text in other quotes": replaced("kind: dr", `kind: ["a", '"', "b]`),
  "a quote in the name of a tag": replaced("kind: dr", "kind: !a' '"),
  "a quote after a backslash": replaced("kind: dr", 'kind: "\\"'),
  "a line that only YAML sees, by NEL": replaced("kind: dr", "kind: dr\u0085environment: [evil]"),
  "a line that only YAML sees, by LS": replaced("kind: dr", "kind: dr\u2028environment: [evil]"),
  "a line that only YAML sees, by CR": replaced("kind: dr", "kind: dr\renvironment: [evil]"),
};

const names = [...Object.keys(yaml), ...Object.keys(code)];

/** Returns a commit as git-fast-import reads it. */
function commit(branch: string, change: Change): string {
  const bytes = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const files = Object.entries(change).map(([file, text]) =>
    typeof text === "string" ? `M 100644 inline ${file}\n${bytes(text)}` : `${text.command}\n`,
  );
  const from = branch === "main" ? "" : "from refs/heads/main\n";
  return `commit refs/heads/${branch}\ncommitter t <t@localhost> 0 +0000\n${bytes(branch)}${from}${files.join("")}\n`;
}

/** Runs the script. */
const run = (...args: string[]): Promise<string> =>
  new Promise((resolve) => {
    execFile(script, args, { cwd: place }, (_, stdout, stderr) => resolve((stdout + stderr).trim()));
  });

let kinds: Record<string, string>;

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), "lvs-take-"));
  git(["init", "-q", "-b", "main"]);
  const files = {
    ...{ "Pulumi.yaml": "name: shop\nruntime: nodejs\n", "index.js": "" },
    ...{ "Pulumi.prod.yaml": base, "Pulumi.test.yaml": base },
  };
  const changes = names.map((name, i) => commit(`change-${i}`, yaml[name] ?? code[name] ?? {}));
  git(["fast-import", "--quiet"], [commit("main", files), ...changes].join(""));
  git(["checkout", "-q", "main"]);
  const printed = await Promise.all(names.map((_, i) => run("kind", `change-${i}`)));
  kinds = Object.fromEntries(names.map((name, i) => [name, printed[i] as string]));
});

afterAll(() => rmSync(place, { recursive: true, force: true }));

test.each(Object.keys(yaml))("%s is no change of code", (name) => expect(kinds[name]).toBe("yaml"));

test.each(Object.keys(code))("%s is a change of code", (name) => expect(kinds[name]).toBe("code"));

test("a pull request is merged, and checked by what it changes of the target branch", async () => {
  // the target branch has moved since
  writeFileSync(join(place, "index.js"), "2");
  git(["-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qam", "more"]);
  expect(await run("kind", "change-0")).toBe("code");
  expect(await run("take", "change-0")).toBe("yaml");
  expect(git(["show", "HEAD:Pulumi.prod.yaml"])).toContain("kind: nat");
  expect(git(["show", "HEAD:index.js"])).toBe("2");
  expect(await run("take", "nowhere")).toBe("ci.sh: there is no commit nowhere; fetch it first");
  expect(await run("take", "--help")).toBe("ci.sh: --help is not the name of a stack or a commit");
});
