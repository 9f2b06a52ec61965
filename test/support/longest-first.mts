import type { TestSpecification } from "vitest/node";
import { BaseSequencer } from "vitest/node";

// Files of more than 100 s, the longest first; of the lab, by its last run. Vitest knows durations only from a run before, and a
// fresh clone has none. It would begin with the largest files, and wait for one of these with a single worker at the end.
const longest = [
  "lab/faults",
  "lab/health",
  "lab/plan",
  "lab/leaving",
  "lab/ipv6",
  "lab/two-directors",
  "lab/golden",
  "lab/network-restart",
  "lab/failures",
  "lab/shapes",
  "lab/load",
  "faults/rollback-command",
  "faults/rollback-verify",
  "faults/rollback-up",
  "lab/vrrp",
  "lab/ecmp",
  "lab/probe",
  "lab/pool",
  "faults/mixed",
  "faults/director-down",
  "faults/secrets",
  "lab/localnode",
  "lab/drift",
  "lab/ci",
  "lab/address",
  "package/consumer",
  "lab/reboot",
  "lab/nat",
  "lab/shared",
  "lab/drain",
  "faults/postgres",
  "lab/ownership",
  "lab/rollback",
  "lab/laws",
  "lab/dr",
  "lab/errors",
  "faults/saved-plan",
  "faults/dr-up",
  "faults/draining",
];

const rank = ({ moduleId }: TestSpecification): number => {
  const at = longest.findIndex((name) => new RegExp(`/${name}\\.(test\\.)?m?ts$`).test(moduleId));
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
