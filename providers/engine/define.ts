import type { z } from "zod";
import type { FactName, Facts } from "../../src/facts/facts.js";
import type { LedgerRecord } from "../../src/facts/ledger.js";
import type { Done } from "../../src/host/job.js";
import type { Step } from "../../src/host/step.js";
import type { Problem } from "../../src/values/problem.js";
import type { Change, HostView, Operation } from "./change.js";

/** Why something is not done, and what to do. */
export interface Refusal {
  readonly reason: string;
  readonly remedy: string;
}

/** A thing of another kind that a resource declares along with its own. */
export interface Part {
  readonly definition: Definition;
  /** Its identity and config. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * A kind of resource as data and pure functions. The engine does everything else: connection, unknown values
 * in previews, adoption, undo, read-back, error texts. No definition mentions those.
 */
export interface Definition<K = unknown, C = unknown> {
  /** Last part of the type token `pulumi-nodejs:dynamic/lvs:KIND`. Must never change. */
  readonly kind: string;
  /** The identity. A change of it replaces the resource. */
  readonly key: z.ZodObject;
  /**
   * Fields that are changed in place. Each is required or has a default, so that deep equality compares them.
   */
  readonly config: z.ZodObject;
  /**
   * Marks a setting of the host, which always exists and may be shared. Create claims it and delete releases
   * it. The last release restores the value from before the first claim.
   */
  readonly setting?: true;
  /** Marks a kind whose operations only query hosts: a plan has no lines of it, and a refresh finds it as it is. */
  readonly onlyQueries?: true;
  /** Lets several resources declare one thing on purpose, by the input `shared`. The last one removes it. */
  readonly shareable?: true;
  /**
   * Order at boot, one of src/values/ranks.ts. Addresses let clients in, so they come after what answers. A kind
   * without a rank is not restored.
   */
  readonly rank?: number;
  /**
   * Returns the record from which the boot makes the thing: a verb of the restore (src/shell/boot/verbs.sh)
   * and its arguments. Goes with `rank`. A kind without it has nothing of its own on a host: its
   * operations are what `around` does.
   */
  record?(key: K, config: C): readonly string[];
  /**
   * Computed outputs besides the declared fields. They are never compared, and known after the first reading.
   */
  readonly computed?: {
    readonly names: readonly string[];
    facts(key: K): readonly FactName[];
    read(facts: Facts, key: K, config: C): Record<string, unknown>;
  };
  /**
   * Returns whether programs conflict over such things (see src/values/conflicts.ts), or over sync daemons. None may
   * run on a host when one is written.
   */
  conflicts?(key: K): boolean | "daemons";
  /** Returns the records of the things that this one contains. They are deleted with it, and so are their records. */
  contains?(key: K, facts: Facts): readonly LedgerRecord[];
  /**
   * Returns the things of other kinds that this one declares, too. Each has a record as if a resource of its own
   * declared it. `around` makes them. Declarations need them before any operation, so `around` alone is not enough.
   */
  parts?(key: K, config: C): readonly Part[];
  /**
   * Wraps every operation on such a thing. It may wait before or after, may pass another change to `make`, which
   * carries out the operation, or may do something else instead.
   */
  around?<Notes>(
    operation: Operation<K, C>,
    make: (change: Change) => Promise<Done<Notes>>,
  ): Promise<Done<Notes>>;
  /** Fills in defaults that depend on other fields, in place. */
  defaults?(key: K, config: C): void;
  /** Returns mistakes that no single field shows. */
  validate?(key: K, config: C): Problem[];
  /** Returns the id without the host, as people type it: `tcp://192.168.0.219:80`. */
  id(key: K): string;
  /**
   * Returns why the host cannot have the thing as wanted, and what to do. `have` is undefined if there is
   * none, and else a thing of another owner with other settings, which `adopt` would take over.
   */
  refuses?(key: K, want: C, have: C | undefined, facts: Facts): Refusal | undefined;
  /**
   * Returns why a thing of another kind on the host excludes this one, and what to do. Runs at each creation and
   * change, because a change may add what the other has. If one update makes both, the check of the result finds it.
   */
  clashes?(key: K, want: C, facts: Facts): Refusal | undefined;
  /** Returns the facts that `read` needs. */
  facts(key: K, want: C | undefined): readonly FactName[];
  /**
   * Returns the state on the host, or undefined if there is none. `want` shows which optional parts matter.
   */
  read(facts: Facts, key: K, want: C | undefined): C | undefined;
  /**
   * Returns the steps from have to want. Undefined is absent, so this covers create, update and delete. Have
   * and want differ, except for settings, which may be right without a claim.
   */
  plan(key: K, want: C | undefined, have: C | undefined, view: HostView): readonly Step[];
}

/** Ties the functions of a definition to the types of its schemas. */
export function define<K extends z.ZodObject, C extends z.ZodObject>(
  definition: Omit<Definition<z.output<K>, z.output<C>>, "key" | "config"> & { key: K; config: C },
): Definition {
  return definition as unknown as Definition;
}
