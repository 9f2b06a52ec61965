import { globSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { parseClusters } from "../../../stacks/config.js";
import { blocksOf, documents, repository, textOf } from "../../support/examples.js";

test("every example of a configuration is right", () => {
  // what Pulumi's SDK reads YAML by
  const { load } = createRequire(require.resolve("@pulumi/pulumi"))("js-yaml");
  const examples = [
    ...documents.flatMap((file) => blocksOf(file, /^```yaml\n([\s\S]*?)^```$/gm)),
    ...globSync("Pulumi.*.yaml", { cwd: repository }).map((place) => ({ place, code: textOf(place) })),
  ];
  expect(examples.length).toBeGreaterThanOrEqual(5);
  for (const { place, code } of examples)
    expect(parseClusters(load(code).config["lvs:clusters"]), place).toHaveProperty("clusters");
});
