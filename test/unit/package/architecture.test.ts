import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { definitions } from "../../support/fake/definitions.js";

const repository = join(__dirname, "../../..");
const files = globSync(["{src,providers,stacks,rollback,cli,policy}/**/*.ts", "index.ts"], {
  cwd: repository,
}).sort();
const textOf = new Map(files.map((file) => [file, readFileSync(join(repository, file), "utf8")]));
const importsOf = (file: string): string[] =>
  [...(textOf.get(file) ?? "").matchAll(/(?:\bfrom|\bimport|\brequire\(|\bimport\()\s*"([^"]+)"/g)].map(
    ([, name = ""]) =>
      name.startsWith(".") ? normalize(join(dirname(file), name)).replace(/\.js$/, ".ts") : name,
  );
const importers = (pattern: RegExp) =>
  files.filter((file) => importsOf(file).some((name) => pattern.test(name)));

test("every import of a file of our own finds it", () => {
  const own = files.flatMap((file) => importsOf(file).filter((name) => name.endsWith(".ts")));
  expect(own.length).toBeGreaterThan(60);
  expect(own.filter((name) => !textOf.has(name))).toEqual([]);
});

// knip counts a type as used if an exported function has it.
test("every exported type is imported by another file", () => {
  const all = globSync("{{src,providers,stacks,rollback,cli,policy,test,scripts}/**/*.{ts,mts},index.ts}", {
    cwd: repository,
  });
  const texts = all.map((file) => readFileSync(join(repository, file), "utf8"));
  const imported = new Set(
    texts.flatMap((text) =>
      [...text.matchAll(/^(?:import|export) (?:type )?\{([^}]*)\} from/gm)].flatMap(([, names = ""]) =>
        names.split(",").map((name) => name.replace(/^\s*(?:type )?(\w+)[\s\S]*/, "$1")),
      ),
    ),
  );
  const exported = [...textOf.values()].flatMap((text) =>
    [...text.matchAll(/^export (?:interface|type) (\w+)/gm)].map(([, name = ""]) => name),
  );
  expect(exported.length).toBeGreaterThan(150);
  // The base of each resource is the type of an expression, which declarations of the package name.
  expect(exported.filter((name) => !imported.has(name))).toEqual(["ResourceClass"]);
});

/** A floor: a folder, or a file that is one by itself. Those of `src` build on each other; each other folder is one. */
const floorOf = (file: string): string =>
  /^(src\/\w+|providers\/engine|providers|stacks|rollback|cli|policy|index\.ts)\b/.exec(file)?.[1] ?? file;

const src = [
  "src/values",
  "src/log",
  "src/shell",
  "src/errors",
  "src/facts",
  "src/health",
  "src/vrrp",
  "src/ssh",
  "src/host",
];

/** Each floor, and what it may import besides itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  "src/values": [],
  "src/log": ["src/values"],
  "src/shell": ["src/values"],
  "src/errors": ["src/values", "src/shell"],
  "src/facts": ["src/values", "src/shell"],
  "src/health": ["src/values"],
  "src/vrrp": ["src/values"],
  "src/ssh": ["src/values", "src/log", "src/errors"],
  "src/host": ["src/values", "src/log", "src/shell", "src/errors", "src/facts", "src/ssh"],
  "providers/engine": src,
  providers: [...src, "providers/engine"],
  stacks: [...src, "providers", "providers/engine"],
  rollback: [...src, "providers", "providers/engine"],
  policy: ["src/values"],
  cli: [...src, "providers", "providers/engine", "stacks", "rollback"],
  "index.ts": [...src, "providers", "providers/engine", "stacks", "rollback"],
};

test("each folder imports only from those that it stands on", () => {
  expect([...new Set(files.map(floorOf))].sort()).toEqual(Object.keys(mayImport).sort());
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter((name) => textOf.has(name))
      .filter((name) => ![floorOf(file), ...(mayImport[floorOf(file)] ?? [])].includes(floorOf(name)))
      .map((name) => `${file} → ${name}`),
  );
  expect(wrong).toEqual([]);
});

test("SSH has one door, and Pulumi is met in the class of resources, in stacks, roll-back, policies and command line only", () => {
  expect(importers(/^ssh2$/)).toEqual([
    "src/ssh/algorithms.ts",
    "src/ssh/dial.ts",
    "src/ssh/key.ts",
    "src/ssh/login.ts",
  ]);
  expect(importers(/^@pulumi\//).filter((file) => !/^(stacks|rollback|cli|policy)\//.test(file))).toEqual([
    "providers/engine/planned-id.ts",
    "providers/engine/resource-class.ts",
  ]);
});

test("no imports go round in a circle", () => {
  const done = new Set<string>();
  const circles = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [[...path, file].join(" → ")];
    if (done.has(file)) return [];
    const found = importsOf(file)
      .filter((name) => textOf.has(name))
      .flatMap((name) => circles(name, [...path, file]));
    done.add(file);
    return found;
  };
  expect(files.flatMap((file) => circles(file, []))).toEqual([]);
});

/** Returns a file of TypeScript without comments. The slashes of `tcp://` begin none. */
const codeOf = (file: string) => (textOf.get(file) ?? "").replaceAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*/g, "");

test("the engine names no kind of resource", () => {
  const kinds = [...definitions.values()].flatMap(({ kind }) => [
    kind,
    kind[0]?.toLowerCase() + kind.slice(1),
  ]);
  const engine = files.filter((file) => /^(providers\/engine|src\/host)\//.test(file));
  expect(engine.length).toBeGreaterThan(30);
  const named = engine.filter((file) => new RegExp(`\\b(${kinds.join("|")})\\b`).test(codeOf(file)));
  // the fact of that name, which several kinds of settings need
  expect(named).toEqual(["providers/engine/settings.ts"]);
});

test("the engine names no field of a resource", () => {
  const fields = [...definitions.values()].flatMap(({ key, config }) =>
    Object.keys({ ...key.shape, ...config.shape }),
  );
  // Other files have words such as `name` for things of their own.
  for (const file of [
    "providers/engine/engine.ts",
    "providers/engine/inputs.ts",
    "providers/engine/ledger.ts",
    "providers/engine/object.ts",
    "providers/engine/read.ts",
    "providers/engine/resource-class.ts",
    "providers/engine/runner.ts",
    "providers/engine/setting.ts",
    "src/host/host.ts",
    "src/host/batch.ts",
  ])
    expect(
      fields.filter((field) => new RegExp(`\\.${field}\\b(?!\\()|["'\`]${field}["'\`]`).test(codeOf(file))),
      file,
    ).toEqual([]);
});

test("no file under src names a kind of resource, but for remedies", () => {
  const kinds = new RegExp(`\\b(${[...definitions.values()].map(({ kind }) => kind).join("|")})\\b`);
  const others = globSync("src/**/*.{sh,awk,service,pl,py}", { cwd: repository });
  const named = [
    ...files.filter((file) => file.startsWith("src/") && kinds.test(codeOf(file))),
    ...others.filter((file) =>
      kinds.test(readFileSync(join(repository, file), "utf8").replaceAll(/^\s*#.*/gm, "")),
    ),
  ];
  expect(named).toEqual(["src/shell/refusals.ts", "src/shell/sysctl-modules.ts"]);
});

test("few files name the weight of a real server, from the YAML to ipvsadm and back", () => {
  // Others carry it: as a field of a config, or as a word of a command or record.
  const named = files.filter((file) => {
    // Weights of a sorry server, a quorum and a route are other ones, and -w is an option of curl, too.
    if (!/^(src|providers|stacks)\//.test(file) || /health-monitor|health\/monitor|replies/.test(file))
      return false;
    const code = codeOf(file).replaceAll(/"[^"\n]*"|`[^`]*`/g, (text) => (text === '"-w"' ? text : ""));
    return /\bweight\b|"-w"|\bserver(Numbers|Fields)\b/.test(code);
  });
  expect(named).toEqual([
    "providers/pool-drain.ts",
    "providers/real-server/drain.ts",
    "providers/real-server/in-use.ts",
    "providers/real-server/index.ts",
    "providers/service-probe/result.ts",
    "providers/virtual-service/pool.ts",
    "src/facts/ipvs-table.ts",
    "src/values/server-numbers.ts",
    "stacks/cluster/args.ts",
    "stacks/cluster/component.ts",
    "stacks/cluster/model.ts",
    "stacks/cluster/services.ts",
    "stacks/rules/contradictions.ts",
    "stacks/rules/resources.ts",
  ]);
});

test("every kind of resource is on the list that becomes classes", () => {
  const listed = [
    ...(textOf.get("providers/index.ts") ?? "").matchAll(/export class (\w+) extends resource/g),
  ].map(([, kind]) => kind);
  expect(listed.sort()).toEqual([...definitions.values()].map(({ kind }) => kind).sort());
});

/** Files of one idea that would be harder to follow in two. Each has at most 300 lines. */
const long = ["providers/index.ts", "providers/real-server/drain.ts", "src/host/batch.ts"];

test("no file is longer than 220 lines, and no file of one idea than 300", () => {
  const linesOf = (file: string) => (textOf.get(file) ?? "").split("\n").length - 1;
  expect(files.filter((file) => linesOf(file) > 220)).toEqual(long);
  expect(long.filter((file) => linesOf(file) > 300)).toEqual([]);
});
