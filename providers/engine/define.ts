import type { z } from "zod";
import type { FactName, Facts } from "../../src/facts/facts.js";
import type { DeclaredRecord } from "../../src/facts/records.js";
import type { Step } from "../../src/host/step.js";
import type { Problem } from "../../src/values/problem.js";
import type { Ask } from "./ask.js";
import type { Drains } from "./drains.js";
import type { HostView } from "./settings.js";

/**
 * A kind of resource, as data and pure functions. Everything else (connection, unknown values in previews, adoption, undo,
 * read-back, error texts) is the engine's and mentioned by none.
 */
export interface Definition<K = unknown, C = unknown> {
  /** Last part of the type token `pulumi-nodejs:dynamic/lvs:KIND`; never renamed. */
  readonly kind: string;
  /** Identity: what differs here is another thing, and a change replaces. */
  readonly key: z.ZodObject;
  /** What can be edited in place; each field is required or has a default, so that deep equality compares. */
  readonly config: z.ZodObject;
  /**
   * Settings of a host are never absent and may be shared: creating one claims it, deleting lets go, and what was found
   * comes back when the last claim on it goes.
   */
  readonly setting?: true;
  /**
   * When it is its turn at boot, 10-99: modules 10, settings 20-30, the table 40-60, health checks 70, addresses 80, so that
   * nobody is let in before there is somebody to answer, and routes 90. Nothing comes back of a kind that has none.
   */
  readonly rank?: number;
  /** How it comes back at boot where nothing is: a verb of the restore (src/shell/restore-verbs.ts) and its arguments. Goes with `rank`. */
  record?(key: K, config: C): readonly string[];
  /** Outputs that only tell, beside what was declared: never compared, and known after the first reading. */
  readonly shows?: {
    readonly names: readonly string[];
    facts(key: K): readonly FactName[];
    read(facts: Facts, key: K): Record<string, unknown>;
  };
  /** Properties besides `connection` that say how to reach a host; what is secret in them is kept so. */
  readonly connections?: readonly string[];
  /**
   * Makes the kind a question: nothing of it is on the host. Asks it when it is created or changed, and throws what is not as
   * expected. `facts`, `read` and `plan` have no say then.
   */
  asks?(key: K, config: C, ask: Ask): Promise<void>;
  /** Whether there are programs that take such things for their own (see src/values/conflicts.ts): none may run where these are written. */
  rivals?(key: K): boolean;
  /** Whether a thing of the host goes along when this one is deleted: then its record and mark go too. Of a mark alone `words` is empty. */
  carries?(key: K, other: Pick<DeclaredRecord, "thing" | "words">, facts: Facts): boolean;
  /** What must not go while somebody uses it says how one sees that: a deletion may have to wait. */
  readonly drains?: Drains<K, C>;
  /** Fills in defaults that depend on other fields; in place. */
  complete?(key: K, config: C): void;
  /** Mistakes that no single field shows. */
  problems?(key: K, config: C): Problem[];
  /** How one would type it, without the host: `tcp://192.168.0.219:80`. */
  id(key: K): string;
  /** What `read` looks at. */
  facts(key: K, want: C | undefined): readonly FactName[];
  /** What the host shows; undefined where it is absent. `want` tells which optional parts are of interest, where that matters. */
  read(facts: Facts, key: K, want: C | undefined): C | undefined;
  /**
   * The way from have to want; undefined is absent, so this is create, update and delete. Never called with equal ones, but
   * for settings, which may be right without being claimed.
   */
  plan(key: K, want: C | undefined, have: C | undefined, view: HostView): readonly Step[];
}

/** Ties the functions of a definition to the types of its schemas. */
export function define<K extends z.ZodObject, C extends z.ZodObject>(
  definition: Omit<Definition<z.output<K>, z.output<C>>, "key" | "config"> & { key: K; config: C },
): Definition {
  return definition as unknown as Definition;
}
