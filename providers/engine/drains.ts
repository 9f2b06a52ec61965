import { FinalError } from "../../src/errors.js";
import type { DrainingServer } from "../../src/facts/draining.js";
import type { FactName, Facts } from "../../src/facts/facts.js";
import type { Step } from "../../src/host/step.js";

/** How long is waited. */
export interface Patience {
  /** Seconds after which it goes, whoever still uses it. */
  readonly timeout: number;
  /** Seconds that are waited even where nobody uses it. */
  readonly minimum: number;
}

/** What a definition says of things that must not go while somebody uses them. */
export interface Drains<K = unknown, C = unknown> {
  /** How long is waited for it; undefined where it goes at once. */
  patience(config: C): Patience | undefined;
  /** Whether this lets nobody new in, so that an update to it waits too. */
  isQuiesced(config: C): boolean;
  /** Service and server, as the host's record of what is draining names it. */
  words(key: K): readonly [string, string];
  /** What `quiesce` and `count` look at. */
  facts(key: K): readonly FactName[];
  /** Steps after which nobody new comes; undefined where it is gone, or nobody can come any more. */
  quiesce(facts: Facts, key: K): readonly Step[] | undefined;
  /** How many still use it. */
  count(facts: Facts, key: K): number;
}

/** What came of waiting. */
export interface Drained {
  readonly seconds: number;
  /** How many still used it when the time was out. */
  readonly left: number;
}

/** The host's record that it drains. */
export const recordOf = (facts: Facts, drains: Drains, key: unknown): DrainingServer | undefined => {
  const [service, server] = drains.words(key);
  return facts.draining().find((one) => one.service === service && one.server === server);
};

/** Somebody declared it again while it was draining. */
export const calledOff = (host: string): FinalError =>
  new FinalError(
    host,
    "its draining was called off there, because it was declared again",
    "run up again if it is to go",
  );
