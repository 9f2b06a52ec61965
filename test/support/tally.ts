import type { TestContext } from "vitest";

/** What the table at the end of a run has a line for. */
export const tallied = ["faults on fake hosts", "faults on the lab", "fuzz", "laws"] as const;

interface Count {
  /** Faults injected, inputs or cases generated. */
  tried: number;
  /** Those after which all was as promised. */
  held: number;
}

declare module "vitest" {
  interface TaskMeta {
    tally?: Partial<Record<(typeof tallied)[number], Count>>;
  }
}

/**
 * Counts cases of a test for that table: `tried` before one, `held` after it has shown what it should. A case that throws
 * in between is counted as lost, whatever becomes of the test.
 */
export function tally({ task }: Pick<TestContext, "task">, line: (typeof tallied)[number]) {
  const count: Count = task.meta.tally?.[line] ?? { tried: 0, held: 0 };
  task.meta.tally = { ...task.meta.tally, [line]: count };
  return {
    tried(cases = 1): void {
      count.tried += cases;
    },
    held(cases = 1): void {
      count.held += cases;
    },
  };
}
