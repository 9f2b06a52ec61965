import { HostError, isDown, NotRetriedError } from "../../src/errors.js";
import type { DrainingServer } from "../../src/facts/draining.js";
import type { FactName, Facts } from "../../src/facts/facts.js";
import type { Done, Job } from "../../src/host/job.js";
import { type Step, step } from "../../src/host/step.js";
import type { Change, Operation, Verb } from "../engine/change.js";
import type { Clock } from "../engine/clock.js";
import { drainOutputs, type Limits } from "./drain-fields.js";
import { count, isReached, type Key, quiesce, serverOf, useFacts } from "./in-use.js";

interface Config {
  readonly weight: number;
  readonly drain: Limits | null;
}

/** An operation on one server, which may be a member of a pool. */
export type ServerOperation = Operation<Key, Config>;

/** A server that has to drain. */
interface Leaving {
  readonly key: Key;
  readonly limits: Limits;
  /** Facts that `isLeaving` needs. */
  readonly facts: readonly FactName[];
  /** Whether connections that another director sends here count, too. */
  readonly alsoSynced: boolean;
  /** Returns whether this resource may still stop new clients. */
  isLeaving(facts: Facts): boolean;
}

/** The result of a drain. */
export interface Drained {
  readonly seconds: number;
  /** Number of connections that were left at the end. */
  readonly left: number;
  /** True if some were left that are not cut off: the VIP is not there, or another resource has the server. */
  readonly unused?: true;
}

const wordsOf = (key: Key): [string, string] => [key.service, serverOf(key)];

/** Returns the host's drain record of a server. */
const recordOf = (facts: Facts, key: Key): DrainingServer | undefined =>
  facts.draining().find(({ service, server }) => service === key.service && server === serverOf(key));

const boot = "kernel.random.boot_id";

/** Seconds after which sync has copied what another director had when it stopped new clients. */
const copying = 5;

/** Returns the steps that stop new clients and write the drain record. */
function begin(facts: Facts, { key, alsoSynced, isLeaving }: Leaving): readonly Step[] | undefined {
  const steps = isLeaving(facts) ? quiesce(facts, key, alsoSynced) : undefined;
  if (!steps || recordOf(facts, key)) return steps;
  return [step(["begin_drain", ...wordsOf(key)], ["end_drain", ...wordsOf(key)]), ...steps];
}

/** The host of a drain. */
interface Means {
  readonly host: string;
  readonly clock: Clock;
  submit(job: Omit<Job, "owner">): Promise<Pick<Done, "facts">>;
}

const factsOf = ({ facts, key, alsoSynced }: Leaving): FactName[] => [
  ...facts,
  ...useFacts(key),
  ...(alsoSynced ? (["daemons", "ledger"] as const) : []),
  "draining",
  `sysctl:${boot}`,
];

/** Stops new clients. Returns what the host shows afterwards. */
async function start(leaving: Leaving, { submit }: Means): Promise<Facts> {
  const plan = (facts: Facts) => ({ steps: begin(facts, leaving) ?? [] });
  const verify = (facts: Facts) =>
    plan(facts).steps.length === 0 ? undefined : "the host did not keep it quiesced";
  return (await submit({ facts: [...factsOf(leaving), "clock"], plan, observe: plan, verify })).facts;
}

/**
 * Stops new clients and waits until no connection is left. Returns undefined if there is nothing to wait for.
 * The host keeps the start time, so a run after a crash continues the wait. Short jobs that change nothing
 * query the host, and other jobs run in between.
 */
export async function wait(leaving: Leaving, means: Means): Promise<Drained | undefined> {
  const { key, limits } = leaving;
  const { host, clock, submit } = means;
  const facts = factsOf(leaving);
  const isQuiesced = (facts: Facts) => (begin(facts, leaving) ?? []).length === 0;

  const first = await start(leaving, means);
  const record = recordOf(first, key);
  if (!record || !begin(first, leaving)) return undefined;
  const began = clock.now() - Math.max(0, first.clock() - record.since) * 1000;
  const elapsed = () => (clock.now() - began) / 1000;
  // A reboot removes the record and the connections. Without a reboot another run has removed the record.
  const isCancelled = (facts: Facts) =>
    !isQuiesced(facts) && !recordOf(facts, key) && facts.sysctl(boot) === first.sysctl(boot);
  const readAgain = async () => {
    const plan = (facts: Facts) => {
      if (isCancelled(facts)) throw cancelled(host);
      return { steps: [] };
    };
    return (await submit({ facts, plan, observe: () => undefined, verify: () => undefined })).facts;
  };
  let seen: Facts | undefined = first;
  let fewest = Number.POSITIVE_INFINITY;
  for (;;) {
    if (seen && !isQuiesced(seen)) seen = await start(leaving, means);
    if (seen) {
      const left = count(seen, key);
      const isDone = left === 0 && elapsed() >= limits.minimum;
      const result = { seconds: Math.round(elapsed()), left };
      if (isDone) return result;
      const isCopy = !isReached(seen, key);
      // More copies show that another director still sends clients, and that its deletion may wait for this one.
      const isGrowing = isCopy && left > fewest;
      if (isCopy && elapsed() >= limits.minimum + copying) fewest = Math.min(fewest, left);
      if (isGrowing || elapsed() >= limits.timeout || !begin(seen, leaving))
        return left > 0 && (isCopy || elapsed() < limits.timeout) ? { ...result, unused: true } : result;
    }
    await clock.pause();
    seen = await readAgain().catch((error: Error) => {
      // The host may return before the time is over.
      const mayPass = error.cause instanceof HostError && isDown(error.cause);
      if (!mayPass || elapsed() >= limits.timeout) throw error;
      return undefined;
    });
  }
}

/** Returns the error for a server that was declared again while it drained. */
const cancelled = (host: string): NotRetriedError =>
  new NotRetriedError(
    host,
    "its drain was cancelled, because it was declared again",
    "run `pulumi up` again to delete it",
  );

const stillThere = "the record of its draining is still there";

const forget = ({ service, server, line }: DrainingServer): Step =>
  step(["end_drain", service, server], ["drain_on", line]);

// The last step, because it cannot be undone.
const note = (key: Key, { seconds, left }: Drained): Step =>
  step(["note_drained", ...wordsOf(key), String(seconds), String(left)], null);

/** Ends the drain of a server that stays. Returns facts with its outputs. */
async function finish(operation: ServerOperation, drained: Drained): Promise<Facts> {
  const { key, submit } = operation;
  const { facts } = await submit({
    facts: [...operation.facts, "draining", ...drainOutputs.facts(key)],
    plan(facts) {
      const found = recordOf(facts, key);
      return { steps: found ? [forget(found), note(key, drained)] : [] };
    },
    observe: (facts) => recordOf(facts, key)?.line,
    verify: (facts) => (recordOf(facts, key) ? stillThere : undefined),
  });
  return facts;
}

/**
 * Wraps a change of a server. The change deletes the drain record, so redeclaring a server cancels a drain in
 * progress. `drained` is the result of the drain before this deletion.
 */
export function forgetting({ key, config, change, host }: ServerOperation, drained?: Drained): Change {
  const stays = (verb: Verb) => verb !== "delete" && config.drain !== null && config.weight === 0;
  return {
    ...change,
    facts: [...change.facts, "draining"],
    plan(verb, view) {
      const found = recordOf(view.facts, key);
      if (verb !== "delete") {
        // The drain set this weight, so the plan must not treat it as a change by the user.
        const steps = change.plan(found ? "update" : verb, view);
        return found && !stays(verb) ? [forget(found), ...steps] : steps;
      }
      const steps = change.plan(verb, view);
      const isThere = change.observe(view.facts) !== undefined;
      // If the thing exists and must stay, another owner has it by now, with its record.
      if (isThere && steps.length === 0) return steps;
      if (drained && isThere && !found) throw cancelled(host);
      const noted = drained && steps.length > 0 ? [note(key, drained)] : [];
      return [...(found ? [forget(found)] : []), ...steps, ...noted];
    },
    mismatch(verb, facts) {
      const why = change.mismatch(verb, facts);
      if (why !== undefined || stays(verb) || !recordOf(facts, key)) return why;
      return verb === "delete" && change.observe(facts) !== undefined ? undefined : stillThere;
    },
    observe: (facts) => [change.observe(facts), recordOf(facts, key)?.line],
  };
}

function leavingOf(operation: ServerOperation, limits: Limits, alsoSynced: boolean): Leaving {
  const { verb, key, facts, owner } = operation;
  const deletion = forgetting(operation);
  const isLeaving = (facts: Facts) =>
    verb !== "delete" || deletion.plan(verb, { facts, owner, persist: false }).length > 0;
  return { key, limits, facts, alsoSynced, isLeaving };
}

/**
 * Waits if the server's config requires it, and prints the result. `alsoSynced` is for a change that all directors get
 * at the same time, such as a deletion. Others change one director after the other, and the first would wait for clients
 * of the last.
 */
export async function drained(operation: ServerOperation, alsoSynced = false): Promise<Drained | undefined> {
  const { drain } = operation.config;
  if (!drain) return undefined;
  const result = await wait(leavingOf(operation, drain, alsoSynced), operation);
  if (result) operation.clock.print(summary(operation, result));
  return result;
}

/** Begins a drain that a PoolDrain ends. Returns whether it has to wait for connections, also for copied ones. */
export async function quiescedFirst(operation: ServerOperation): Promise<boolean> {
  const { drain } = operation.config;
  if (!drain) return false;
  const leaving = leavingOf(operation, drain, true);
  const facts = await start(leaving, operation);
  return recordOf(facts, operation.key) !== undefined && begin(facts, leaving) !== undefined;
}

/** Wraps changes of a real server: a deletion waits first, and an update to weight 0 waits afterwards. */
export async function draining<Notes>(
  operation: ServerOperation,
  make: (change: Change) => Promise<Done<Notes>>,
): Promise<Done<Notes>> {
  if (operation.verb === "delete") return make(forgetting(operation, await drained(operation, true)));
  const done = await make(forgetting(operation));
  const facts = await quiesced(operation);
  return facts ? { ...done, facts } : done;
}

/** Waits if an update has quiesced the server. Returns facts with its outputs, or undefined if there was no wait. */
export async function quiesced(operation: ServerOperation): Promise<Facts | undefined> {
  const { verb, config, was } = operation;
  if (verb !== "update" || config.weight !== 0 || was?.weight === 0) return undefined;
  const result = await drained(operation);
  return result && finish(operation, result);
}

/** Returns the result of a drain, as text for people. */
function summary({ verb, host, key }: ServerOperation, { seconds, left, unused }: Drained): string {
  const what = `${host}: ${serverOf(key)} of ${key.service}`;
  if (left === 0) return `${what} drained in ${seconds} s`;
  const why = unused ? ": the VIP is not there, or another resource has the server" : "";
  const how = verb !== "delete" ? "still has" : unused ? "left with" : "cut off with";
  return `${what} ${how} ${left} connection${left === 1 ? "" : "s"} after ${seconds} s${why}`;
}
