import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as classes from "../../../providers/index.js";
import { definitions } from "../../support/fake/definitions.js";
import { change, goldenFiles, recorder } from "../../support/fake/golden.js";
import { kinds as tested } from "../../support/kinds/index.js";

// A kind of resource that is forgotten in one of these places works until a reboot, or until someone looks for it.

const repository = join(__dirname, "../../..");
const read = (file: string) => readFileSync(join(repository, file), "utf8");
const kinds = Object.values(classes).map(({ definition }) => definition.kind);

test("the tests know every kind that the package has", () => {
  expect([...definitions.values()].map(({ kind }) => kind).sort()).toEqual([...kinds].sort());
  expect(Object.keys(tested).sort()).toEqual([...definitions.keys()].sort());
});

test("the package exports the type of every kind's arguments", () => {
  const index = read("index.ts");
  expect(kinds.filter((kind) => !index.includes(`${kind}Args`))).toEqual([]);
});

test.for(["README.md", "docs/README.md", "docs/resources/README.md"])("%s lists every kind", (file) => {
  const text = read(file);
  expect(kinds.filter((kind) => !new RegExp(`[\`[]${kind}[\`\\]]`).test(text))).toEqual([]);
});

test("the documentation of all resources names every setting", () => {
  const [, named = ""] = /\*\*Settings\*\* \(([^)]*)\)/.exec(read("docs/resources/README.md")) ?? [];
  const settings = [...definitions.values()]
    .filter(({ setting }) => setting)
    .map(({ kind }) => `\`${kind}\``);
  expect(named.split(", ").sort()).toEqual(settings.sort());
});

test("the restore at boot has a function for the record of every kind", async () => {
  const verbs = new Set<string>();
  const recorded = new Set<string>();
  for (const { kind, cases } of goldenFiles)
    for (const given of cases.filter(({ want, problems }) => want && !problems)) {
      const { submit, steps } = recorder(given.host ?? {});
      await change(definitions.get(kind) as never, given, submit).catch(() => undefined);
      for (const { run } of steps.filter(({ run }) => run[0] === "record")) {
        recorded.add(kind);
        verbs.add(run[2]?.split("\t")[4] ?? "");
      }
    }
  const things = [...definitions].filter(([, { rank }]) => rank !== undefined).map(([kind]) => kind);
  expect([...recorded].sort()).toEqual(things.sort());
  const shell = read("src/shell/boot/verbs.sh");
  const obeyed = /case \$verb in\n\s*([\w |]+)\)/.exec(shell)?.[1]?.split(" | ") ?? [];
  expect([...verbs].sort()).toEqual(obeyed.sort());
  expect(obeyed.filter((verb) => !new RegExp(`^again_${verb}\\(\\)`, "m").test(shell))).toEqual([]);
});
