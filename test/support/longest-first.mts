import type { TestSpecification } from "vitest/node";
import { BaseSequencer } from "vitest/node";

// Files of more than 60 s, the longest first, by the last run. Vitest knows durations only from a run before, and a
// fresh clone has none. It would begin with the largest files, and wait for one of these with a single worker at the end.
const longest = [
  "lab/two-directors",
  "lab/health",
  "lab/faults",
  "lab/failures",
  "lab/golden",
  "lab/network-restart",
  "lab/vrrp",
  "lab/leaving",
  "lab/ipv6",
  "lab/load",
  "lab/plan",
  "lab/drain",
  "lab/shapes",
  "lab/ci",
  "lab/probe",
  "lab/ecmp",
  "lab/drain-directors",
  "lab/address",
  "lab/errors",
  "lab/shared",
  "lab/reboot",
  "lab/changes",
  "lab/dr",
  "lab/access",
  "lab/rollback",
  "lab/ownership",
  "lab/table",
  "lab/announce",
  "lab/localnode",
  "lab/nat",
  "lab/laws",
  "lab/settings",
  "lab/pool",
  "lab/drift",
  "lab/services",
  "faults/director-down",
  "faults/pair-rollback",
  "faults/rollback-command",
  "faults/rollback-verify",
  "faults/rollback-up",
  "faults/mixed",
  "package/consumer",
  "faults/secrets",
  "faults/dr-up",
  "faults/saved-plan",
  "faults/postgres",
  "faults/pair-killed",
  "faults/draining",
  "faults/two-directors",
  "faults/second-director",
  "faults/destroy",
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
