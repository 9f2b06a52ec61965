import { z } from "zod";
import type { DrainedServer } from "../../src/facts/draining.js";
import type { Facts } from "../../src/facts/facts.js";
import type { Problem } from "../../src/values/problem.js";
import type { Definition } from "../engine/define.js";
import { isQuiesced, type Key, serverOf } from "./in-use.js";

/** The limits of a real server's drain. */
export interface Drain {
  /** Seconds after which it goes even with open connections, 1-86400, not below `minimum`. Default 60. */
  timeout?: number | undefined;
  /**
   * Seconds that it stays quiesced even without connections, for those that are just beginning, 0-3600.
   * Default 2.
   */
  minimum?: number | undefined;
}

/** The result of a drain. */
export interface DrainOutcome {
  /** Duration of the drain in seconds. */
  seconds: number;
  /** Number of connections that were open at the end. */
  forced: number;
  /** Whether no connection was open. */
  clean: boolean;
}

/** Outputs of a RealServer. */
export interface RealServerOutputs {
  /** Result of the drain at weight 0. undefined if there was no drain. */
  drained: DrainOutcome | undefined;
}

/** Outputs of a VirtualService. */
export interface VirtualServiceOutputs {
  /** Results of the last ten drains of deleted real servers. */
  drained: (DrainOutcome & {
    /** The server, such as `192.168.10.11:80`. */
    server: string;
    /** Time of the end, in ISO 8601, UTC. */
    at: string;
  })[];
}

/** The schema of a drain's limits. @internal */
export const limits = z.strictObject({
  timeout: z.number().int().min(1).max(86400).default(60),
  minimum: z.number().int().min(0).max(3600).default(2),
});

/** The schema of `drain`. @internal */
export const drain = limits.nullable().default(null);

/** The limits, with all defaults. @internal */
export type Limits = z.output<typeof limits>;

/** Returns mistakes that no single field shows. @internal */
export const drainProblems = (given: { drain: Limits | null }): Problem[] => {
  const { timeout = 0, minimum = 0 } = given.drain ?? {};
  return minimum > timeout
    ? [{ path: "drain.minimum", reason: `${minimum} is above the timeout, which is ${timeout}` }]
    : [];
};

const outcomeOf = ({ seconds, left }: DrainedServer): DrainOutcome => ({
  seconds,
  forced: left,
  clean: left === 0,
});

/** The computed output of a quiesced server: the result of its drain. @internal */
export const drainOutputs: NonNullable<Definition<Key>["computed"]> = {
  names: ["drained"],
  facts: () => ["table", "drained"],
  read(facts, key) {
    if (!isQuiesced(facts, key)) return {};
    const last = facts
      .drained()
      .findLast((one) => one.service === key.service && one.server === serverOf(key));
    return last ? { drained: outcomeOf(last) } : {};
  },
};

/** Returns the results of drains of a service's servers, the latest last. @internal */
export const drainedOf = (facts: Facts, service: string): VirtualServiceOutputs["drained"] =>
  facts
    .drained()
    .filter((one) => one.service === service)
    .slice(-10)
    .map((one) => ({
      server: one.server,
      at: new Date(one.at * 1000).toISOString(),
      ...outcomeOf(one),
    }));
