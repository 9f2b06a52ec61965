import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    reporters: ["default", "./test/closing-line.mts"],
    projects: [
      {
        test: {
          name: "quick",
          // one group after another: machines that are busy with tests keep no time
          sequence: { groupOrder: 0 },
          include: ["test/unit/**/*.test.ts"],
          globalSetup: "test/fake/fresh-build.ts",
          testTimeout: 20_000,
          // they wait for shells more than they compute
          maxWorkers: 4,
          // loading Pulumi and TypeScript once per worker instead of once per file saves seconds
          isolate: false,
        },
      },
      {
        test: {
          name: "faults",
          sequence: { groupOrder: 1 },
          include: ["test/faults/**/*.test.ts"],
          // one of them goes through every step of a stack
          testTimeout: 300_000,
          maxWorkers: 4,
          isolate: false,
        },
      },
      {
        test: {
          name: "lab",
          sequence: { groupOrder: 2 },
          include: ["test/on-lab/**/*.test.mts", "test/faults/**/*.test.mts"],
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
