import type { TestSpecification } from "vitest/node";
import { BaseSequencer } from "vitest/node";

// Files of more than 100 s, the longest first. Vitest knows them only from a run before, and a fresh clone has none: it would
// begin with the largest files, and wait for one of these with a single worker at the end.
const longest = [
  "lab/health",
  "faults/rollback-command",
  "lab/faults",
  "faults/rollback-verify",
  "lab/network-restart",
  "faults/rollback-up",
  "lab/load",
  "lab/leaving",
  "lab/golden",
  "faults/mixed",
  "lab/drain",
  "lab/probe",
  "faults/dr-up",
  "faults/secrets",
  "faults/leaving-cli",
  "faults/draining",
];

const rank = ({ moduleId }: TestSpecification): number => {
  const at = longest.findIndex((name) => moduleId.includes(`/test/${name}.test.`));
  return at === -1 ? longest.length : at;
};

const order = ({ project }: TestSpecification): number => project.config.sequence.groupOrder;

/** Begins with the files that take longest, so that no worker is left with one at the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => order(a) - order(b) || rank(a) - rank(b));
  }
}
