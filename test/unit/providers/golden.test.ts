import { describe, expect, test } from "vitest";
import { Engine } from "../../../providers/engine/engine.js";
import { type Bag, partsOf } from "../../../providers/engine/inputs.js";
import { rulesOf } from "../../../src/host/script.js";
import { agent } from "../../../src/shell/agent.js";
import { commandLine } from "../../../src/shell/quote.js";
import { definitions } from "../../support/fake/definitions.js";
import { change, type File, goldenFiles, inputsOf, recorder } from "../../support/fake/golden.js";

test("every kind of resource has golden cases, and every case is of a kind", () => {
  expect([...new Set(goldenFiles.map(({ kind }) => kind))].sort()).toEqual([...definitions.keys()].sort());
});

for (const file of goldenFiles) describe(`${file.kind}/${file.name}`, () => check(file));

function check({ kind, cases }: File): void {
  const definition = definitions.get(kind);
  if (!definition) throw new Error(`no resource is called ${kind}`);
  test.for(cases.map((given) => [given.title, given] as const))("%s", async ([, given]) => {
    const { inputs, problems } = inputsOf(definition, given, given.want ?? given.was ?? {});
    expect(problems.map(({ path, reason }) => `${path}: ${reason}`)).toEqual(given.problems ?? []);
    if (given.problems) return;

    const { submit, steps, used } = recorder(given.host ?? {});
    if (given.read !== undefined) {
      const found = await new Engine(definition, () => ({ submit }) as never).read("", inputs);
      expect(found.props === undefined ? null : partsOf(definition, found.props as Bag).config).toEqual(
        given.read,
      );
    } else {
      const changed = change(definition, given, submit);
      if (given.error) await expect(changed).rejects.toThrow(new Error(given.error));
      else await changed;
      // records are alike for all kinds: see ownership.test.ts
      const own = rulesOf(steps);
      const lineOf = (run: readonly string[]) =>
        commandLine(run.map((word) => (word === agent ? "AGENT" : word)));
      expect(own.map(({ run }) => lineOf(run))).toEqual(given.run ?? []);
      const undo = own.flatMap((step) => (step.undo ? [lineOf(step.undo)] : [])).reverse();
      expect(undo).toEqual(given.undo ?? []);
    }
    expect(Object.keys(given.host ?? {}).filter((source) => !used.has(source))).toEqual([]);
  });
}
