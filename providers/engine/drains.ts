import { FinalError } from "../../src/errors.js";
import type { DrainingServer } from "../../src/facts/draining.js";
import type { FactName, Facts } from "../../src/facts/facts.js";
import type { Step } from "../../src/host/step.js";

/** The limits of a drain. */
export interface Patience {
  /** Seconds after which the thing goes, even if it is in use. */
  readonly timeout: number;
  /** Seconds to wait at least, even if it is not in use. */
  readonly minimum: number;
}

/** The part of a definition for things that must not go while they are in use. */
export interface Drains<K = unknown, C = unknown> {
  /** Returns the limits of the drain, or undefined if the thing goes at once. */
  patience(config: C): Patience | undefined;
  /** Returns whether the config stops new clients, so that an update to it waits, too. */
  isQuiesced(config: C): boolean;
  /** Returns the service and the server, as in the host's drain record. */
  words(key: K): readonly [string, string];
  /** Returns the facts that `quiesce` and `count` need. */
  facts(key: K): readonly FactName[];
  /**
   * Returns steps that stop new clients. Returns undefined if the thing is gone, or no client can come any
   * more.
   */
  quiesce(facts: Facts, key: K): readonly Step[] | undefined;
  /** Returns the number of connections that still use the thing. */
  count(facts: Facts, key: K): number;
}

/** The result of a drain. */
export interface Drained {
  readonly seconds: number;
  /** Number of connections that were left at the end. */
  readonly left: number;
}

/** Returns the host's drain record of a thing. */
export const recordOf = (facts: Facts, drains: Drains, key: unknown): DrainingServer | undefined => {
  const [service, server] = drains.words(key);
  return facts.draining().find((one) => one.service === service && one.server === server);
};

/** Returns the error for a thing that was declared again while it drained. */
export const calledOff = (host: string): FinalError =>
  new FinalError(
    host,
    "its draining was called off there, because it was declared again",
    "run up again if it is to go",
  );
