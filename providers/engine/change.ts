import type { FactName, Facts } from "../../src/facts/facts.js";
import type { Host } from "../../src/host/host.js";
import type { Done, Job } from "../../src/host/job.js";
import type { Step } from "../../src/host/step.js";
import type { Connection } from "../../src/ssh/connection.js";
import type { Clock } from "./clock.js";

/** The operation on a resource. */
export type Verb = "create" | "update" | "delete";

/** The input of a plan besides have and want. */
export interface HostView {
  /** The wanted state before an update that changes it. */
  readonly was?: unknown;
  readonly facts: Facts;
  /** The owner in the record of the resource. */
  readonly owner: string;
  /** Whether the resource is restored after a reboot. */
  readonly persist: boolean;
}

/** The plan and the check of a change of one resource. Objects and settings differ in it. */
export interface Change {
  /** Facts that it needs besides those of the definition. */
  readonly facts: readonly FactName[];
  plan(verb: Verb, view: HostView): readonly Step[];
  /** Returns why the host does not show the wanted state, or undefined if it does. */
  mismatch(verb: Verb, facts: Facts): string | undefined;
  /** Returns whether the host has a record of this resource that restores it. */
  declares(facts: Facts): boolean;
  /** Returns whether creating it would take over a thing that something else made. */
  adopts(facts: Facts): boolean;
  /**
   * Returns the state that must be the same after an undo. Returns undefined if others may have changed it
   * meanwhile.
   */
  observe(facts: Facts): unknown;
}

/** The change of a kind that has nothing on a host. */
export const noChange: Change = {
  facts: [],
  plan: () => [],
  mismatch: () => undefined,
  declares: () => false,
  adopts: () => false,
  observe: () => undefined,
};

/** An operation on one resource, and the means of a kind that wraps it. */
export interface Operation<K = unknown, C = unknown> {
  readonly verb: Verb | "read";
  readonly key: K;
  readonly config: C;
  /** The config before an update. */
  readonly was: C | undefined;
  /** Whether the last refresh before an update found the thing different from its record. */
  readonly isStale: boolean;
  readonly owner: string;
  /** The resource, `project/stack/name`: the owner of the records of objects. */
  readonly resource: string;
  readonly change: Change;
  /** Facts that the change needs. */
  readonly facts: readonly FactName[];
  /** The host's name in messages. */
  readonly host: string;
  readonly clock: Clock;
  /** Whether the resource takes over things of others. */
  readonly adopts: boolean;
  /** Returns the change of a thing that this resource declares, too. */
  changeOf(kind: { readonly kind: string }, fields: Readonly<Record<string, unknown>>): Change;
  /** Runs another job of the resource. */
  submit(job: Omit<Job, "owner">): Promise<Done>;
  /** The connection of the resource. */
  readonly connection: Connection;
  /** Runs queries on a host, which change nothing. */
  query(connection: Connection, ...queries: Parameters<Host["query"]>): ReturnType<Host["query"]>;
}

/**
 * Returns whether the host knows the owner. A thing that another stack has taken over counts as known,
 * because a change of it reports that.
 */
export function isRecorded(change: Change, view: HostView): boolean {
  try {
    return change.plan("update", view).length === 0;
  } catch {
    return true;
  }
}
