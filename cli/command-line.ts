import type { Failover, Maintenance } from "./failover/command.js";
import type { Rolling } from "./failover/rolling.js";
import type { Forget } from "./forget/forget.js";
import type { PlanOptions } from "./plan/command.js";
import type { Status } from "./status/command.js";

/** The parsed command line. */
export type CommandLine =
  | { readonly command: "help"; readonly text: string }
  | { readonly command: "wrong"; readonly why: string }
  | ({ readonly command: "forget" } & Forget)
  | ({ readonly command: "plan" } & PlanOptions)
  | ({ readonly command: "failover" } & Failover)
  | ({ readonly command: "maintenance" } & Maintenance)
  | ({ readonly command: "rolling" } & Rolling)
  | ({ readonly command: "status" } & Status)
  | {
      readonly command: "up" | "rollback";
      /** Flags that Pulumi has, too, for each of its runs. */
      readonly stack?: string;
      readonly cwd?: string;
      readonly configFile?: string;
      readonly verify?: string;
      /** The file of a plan that was reviewed. */
      readonly plan?: string;
      /** Arguments for `pulumi up`, unchanged. */
      readonly rest: readonly string[];
    };
