import { FinalError, HostError } from "../../src/errors.js";
import type { FactName, Facts } from "../../src/facts/facts.js";
import type { Job } from "../../src/host/job.js";
import { type Step, step } from "../../src/host/step.js";
import { tell } from "../../src/log.js";
import { calledOff, type Drained, type Drains, type Patience, recordOf } from "./drains.js";

/** The clock and the output. Tests give their own. */
export interface Watch {
  /** Returns milliseconds. */
  now(): number;
  pause(): Promise<void>;
  tell(line: string): void;
}

export const watch: Watch = {
  now: () => performance.now(),
  // Ends at the full second, so that all drains of one host share a script.
  pause: () => new Promise((resolve) => setTimeout(resolve, 1000 - (Date.now() % 1000))),
  tell,
};

/** A thing that has to drain. */
export interface Draining {
  readonly drains: Drains;
  readonly key: unknown;
  readonly patience: Patience;
  /** Facts that `isLeaving` needs. */
  readonly facts: readonly FactName[];
  /** Returns whether this resource may still stop new clients. */
  isLeaving(facts: Facts): boolean;
}

/** The host, and how to submit jobs to it. */
export interface Place {
  readonly host: string;
  readonly watch: Watch;
  submit(job: Omit<Job, "owner">): Promise<Facts>;
}

const boot = "kernel.random.boot_id";

/**
 * Stops new clients and waits until no connection is left. Returns undefined if there is nothing to wait for.
 * The host keeps the start time, so a run after a crash continues the wait. Short jobs that change nothing
 * query the host, and other jobs run in between.
 */
export async function drain(
  { drains, key, patience, isLeaving, ...of }: Draining,
  { host, watch, submit }: Place,
): Promise<Drained | undefined> {
  const facts: FactName[] = [...of.facts, ...drains.facts(key), "draining", `sysctl:${boot}`];
  const quiesce = (facts: Facts): readonly Step[] | undefined => {
    const steps = isLeaving(facts) ? drains.quiesce(facts, key) : undefined;
    if (!steps || recordOf(facts, drains, key)) return steps;
    const words = drains.words(key);
    return [step(["begin_drain", ...words], ["end_drain", ...words]), ...steps];
  };
  const plan = (facts: Facts) => ({ steps: quiesce(facts) ?? [] });
  const begin = () =>
    submit({
      facts: [...facts, "clock"],
      plan,
      look: plan,
      verify: (facts) => (plan(facts).steps.length === 0 ? undefined : "the host did not keep it quiesced"),
    });

  const first = await begin();
  const record = recordOf(first, drains, key);
  if (!record || !quiesce(first)) return undefined;
  const began = watch.now() - Math.max(0, first.clock() - record.since) * 1000;
  const elapsed = () => (watch.now() - began) / 1000;
  // A reboot removes the record and the connections. Without a reboot another run has removed the record.
  const isCalledOff = (facts: Facts) =>
    plan(facts).steps.length > 0 &&
    !recordOf(facts, drains, key) &&
    facts.sysctl(boot) === first.sysctl(boot);
  const look = () =>
    submit({
      facts,
      plan: (facts) => {
        if (isCalledOff(facts)) throw calledOff(host);
        return { steps: [] };
      },
      look: () => undefined,
      verify: () => undefined,
    });
  let seen: Facts | undefined = first;
  for (;;) {
    if (seen && plan(seen).steps.length > 0) seen = await begin();
    if (seen) {
      const left = drains.count(seen, key);
      const isDone = left === 0 && elapsed() >= patience.minimum;
      if (isDone || elapsed() >= patience.timeout || !quiesce(seen))
        return { seconds: Math.round(elapsed()), left };
    }
    await watch.pause();
    seen = await look().catch((error: Error) => {
      // The host may return before the time is over.
      const mayPass = error.cause instanceof HostError && !(error.cause instanceof FinalError);
      if (!mayPass || elapsed() >= patience.timeout) throw error;
      return undefined;
    });
  }
}
