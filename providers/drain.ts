import type { DrainingServer } from "../src/draining.js";
import type { FactName, Facts } from "../src/facts.js";
import { FinalError, HostError } from "../src/host-error.js";
import type { Job } from "../src/job.js";
import { tell } from "../src/log.js";
import { type Step, step } from "../src/step.js";
import type { Change, Verb } from "./change.js";

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

/** Time, and somebody to tell; tests give another. */
export interface Watch {
  /** Milliseconds. */
  now(): number;
  pause(): Promise<void>;
  tell(line: string): void;
}

export const watch: Watch = {
  now: () => performance.now(),
  // to the full second: all that wait for one host ask in one script
  pause: () => new Promise((resolve) => setTimeout(resolve, 1000 - (Date.now() % 1000))),
  tell,
};

/** A thing that is draining, or may have to. */
export interface Draining {
  readonly drains: Drains;
  readonly key: unknown;
  readonly patience: Patience;
}

/** Where it is, and how jobs get there. */
export interface Place {
  readonly host: string;
  readonly watch: Watch;
  submit(job: Omit<Job, "owner">): Promise<Facts>;
}

const boot = "kernel.random.boot_id";

const recordOf = (facts: Facts, drains: Drains, key: unknown): DrainingServer | undefined => {
  const [service, server] = drains.words(key);
  return facts.draining().find((one) => one.service === service && one.server === server);
};

const calledOff = (host: string): HostError =>
  new HostError(
    host,
    "its draining was called off there, because it was declared again",
    "run up again if it is to go",
  );

/**
 * Lets nobody new in and waits until nobody is left. Undefined where there is nothing to wait for. Since when it drains is on
 * the host, so whoever is asked for the same after a crash goes on from there. The host is asked by short jobs that change
 * nothing, with others of the same host in between.
 */
export async function drain(
  { drains, key, patience }: Draining,
  isLeaving: (facts: Facts) => boolean,
  { host, watch, submit }: Place,
): Promise<Drained | undefined> {
  const facts: FactName[] = [...drains.facts(key), "draining", "owners", `sysctl:${boot}`];
  const quiesce = (facts: Facts): readonly Step[] | undefined => {
    const steps = isLeaving(facts) ? drains.quiesce(facts, key) : undefined;
    if (!steps || recordOf(facts, drains, key)) return steps;
    const words = drains.words(key);
    return [step(["begin_drain", ...words], ["end_drain", ...words]), ...steps];
  };
  const plan = (facts: Facts) => quiesce(facts) ?? [];
  const begin = () =>
    submit({
      facts: [...facts, "clock"],
      plan,
      look: plan,
      verify: (facts) => (plan(facts).length === 0 ? undefined : "the host did not keep it quiesced"),
    });
  const look = () => submit({ facts, plan: () => [], look: () => undefined, verify: () => undefined });

  const first = await begin();
  const record = recordOf(first, drains, key);
  if (!record || !quiesce(first)) return undefined;
  const began = watch.now() - Math.max(0, first.clock() - record.since) * 1000;
  const elapsed = () => (watch.now() - began) / 1000;
  let seen: Facts | undefined = first;
  for (;;) {
    // what is seen at the end must be no older than the end
    const isOver = elapsed() >= patience.timeout;
    if (seen && (quiesce(seen)?.length ?? 0) > 0) {
      const isRebooted = seen.sysctl(boot) !== first.sysctl(boot);
      if (!recordOf(seen, drains, key) && !isRebooted) throw calledOff(host);
      seen = await begin();
    }
    if (seen) {
      const seconds = Math.round(elapsed());
      // where nobody can come, those who were there are cut off already
      if (!quiesce(seen)) return { seconds, left: 0 };
      const left = drains.count(seen, key);
      if (isOver || (left === 0 && elapsed() >= patience.minimum)) return { seconds, left };
    }
    await watch.pause();
    seen = await look().catch((error: Error) => {
      // it may come back before the time is out
      const mayPass = error.cause instanceof HostError && !(error.cause instanceof FinalError);
      if (!mayPass || elapsed() >= patience.timeout) throw error;
      return undefined;
    });
  }
}

/** The end of draining where the thing stays: the record goes. */
export const settled = ({ drains, key }: Draining, drained: Drained): Omit<Job, "owner"> => {
  const record = (facts: Facts) => recordOf(facts, drains, key);
  return {
    facts: ["draining"],
    plan: (facts) => {
      const found = record(facts);
      return found ? [...forget(found), note(drains, key, drained)] : [];
    },
    look: (facts) => record(facts)?.line,
    verify: (facts) => (record(facts) ? stillThere : undefined),
  };
};

const stillThere = "the record of its draining is still there";

const forget = ({ service, server, line }: DrainingServer): Step[] => [
  step(["end_drain", service, server], ["add_lines", "draining", line]),
];

// goes last, where nothing after it can fail
const note = (drains: Drains, key: unknown, { seconds, left }: Drained): Step =>
  step(["note_drained", ...drains.words(key), String(seconds), String(left)], null);

/**
 * A change of what may be draining: whatever else becomes of it, the record goes, so that being declared again calls draining
 * off. `drained` tells that this very deletion has waited.
 */
export function withDraining(
  change: Change,
  { drains, key }: Pick<Draining, "drains" | "key">,
  config: unknown,
  host: string,
  drained?: Drained,
): Change {
  const stays = (verb: Verb) =>
    verb !== "delete" && drains.patience(config) !== undefined && drains.isQuiesced(config);
  const record = (facts: Facts) => recordOf(facts, drains, key);
  return {
    ...change,
    facts: [...change.facts, "draining"],
    plan(verb, view) {
      const found = record(view.facts);
      if (verb !== "delete") {
        // what the way out made of it is no difference that somebody wants
        const steps = change.plan(found ? "update" : verb, view);
        return found && !stays(verb) ? [...forget(found), ...steps] : steps;
      }
      const steps = change.plan(verb, view);
      const isThere = change.look(view.facts) !== undefined;
      // what is there and not to be touched is another's by now, and so is the record
      if (isThere && steps.length === 0) return steps;
      if (drained && isThere && !found) throw calledOff(host);
      const noted = drained && steps.length > 0 ? [note(drains, key, drained)] : [];
      return [...(found ? forget(found) : []), ...steps, ...noted];
    },
    misfit(verb, facts) {
      const why = change.misfit(verb, facts);
      if (why !== undefined || stays(verb) || !record(facts)) return why;
      return verb === "delete" && change.look(facts) !== undefined ? undefined : stillThere;
    },
    look: (facts) => [change.look(facts), record(facts)?.line],
  };
}

/** What became of it, for people. */
export function told(verb: Verb, host: string, { drains, key }: Draining, { seconds, left }: Drained): string {
  const [service, server] = drains.words(key);
  const what = `${host}: ${server} of ${service}`;
  const who = `${left} connection${left === 1 ? "" : "s"} after ${seconds} s`;
  if (left === 0) return `${what} drained in ${seconds} s`;
  return verb === "delete" ? `${what} cut off with ${who}` : `${what} still has ${who}`;
}
