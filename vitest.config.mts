import { defineConfig } from "vitest/config";
import "./test/support/seed.mts";
import { LongestFirst } from "./test/support/longest-first.mts";
import { choose } from "./test/support/machines/choose.mts";

// one for the whole run, whatever is built meanwhile
const engine = choose().name;

// User-Mode Linux leaves the processor idle while a test waits; emulated CPUs do not. A lab keeps 0.45 of a processor busy.
const labs = Number(process.env.LVS_LABS || (engine === "uml" ? 4 : 1));

// Half of the seconds that all quick tests take. They run with the faults, so that `npm run check` stays under 30 s.
const long = [
  "cli/forget",
  "cli/live-plan",
  "cli/failover-hosts",
  "cli/plan",
  "cli/status",
  "cli/plan-kinds",
  "host/batches",
  "host/host",
  "host/processes",
  "package/consumer",
  "package/node-version",
  "providers/fuzz-hosts",
  "providers/fuzz-schemas",
  "providers/laws",
  "providers/ownership",
  "providers/pool",
  "providers/sharing",
  "providers/vrrp",
  "scripts/environments",
  "ssh/login",
].map((name) => `test/unit/${name}.test.ts`);

const onLab = { testTimeout: 600_000, hookTimeout: 900_000 };

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/closing-line.mts"],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "quick",
          // Groups run one after another: the clocks of the lab are late while other tests keep the processor busy.
          sequence: { groupOrder: 0 },
          include: ["test/unit/**/*.test.ts"],
          exclude: long,
          setupFiles: "test/support/seed.mts",
          globalSetup: "test/support/fake/fresh-build.ts",
          // a test that hangs ends by this, on a busy computer too
          testTimeout: 180_000,
          hookTimeout: 180_000,
          // they wait for shells, and a fourth worker costs more to load than its waits leave
          maxWorkers: 3,
          // loading Pulumi and TypeScript once per worker instead of once per file saves seconds
          isolate: false,
        },
      },
      {
        test: {
          name: "faults",
          sequence: { groupOrder: 1 },
          include: ["test/faults/**/*.test.ts", ...long],
          setupFiles: "test/support/seed.mts",
          // one of them goes through every step of a stack
          testTimeout: 900_000,
          hookTimeout: 300_000,
          maxWorkers: 4,
          isolate: false,
        },
      },
      {
        test: {
          name: "lab",
          sequence: { groupOrder: 2 },
          include: ["test/lab/**/*.test.mts"],
          setupFiles: "test/support/seed.mts",
          // each worker has a lab of its own: see setup.mts
          maxWorkers: labs,
          fileParallelism: labs > 1,
          isolate: false,
          env: { LVS_LAB_ENGINE: engine, LVS_LABS: String(labs) },
          ...onLab,
        },
      },
      // what the kernel of a distribution does, where the lab runs on another
      ...(engine === "qemu"
        ? []
        : [
            {
              test: {
                name: "stock",
                sequence: { groupOrder: 3 },
                include: ["dr", "nat", "reboot"].map((name) => `test/lab/${name}.test.mts`),
                globalSetup: "test/lab/stop-stock.mts",
                maxWorkers: 1,
                fileParallelism: false,
                env: { LVS_LAB_ENGINE: "qemu", LVS_LABS: "1", LVS_SMOKE: "true" },
                ...onLab,
              },
            },
          ]),
    ],
  },
});
