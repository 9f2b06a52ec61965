import {
  changingHost,
  commandFailure,
  commandTimedOut,
  type HostError,
  lastLines,
  notUndone,
  readingTimedOut,
  undoneMismatch,
  unexpectedOutput,
  withoutToken,
} from "../errors.js";
import { type FactName, type Facts, inEachReading, shownFact } from "../facts/facts.js";
import { refusals } from "../shell/refusals.js";
import { type Done, explained, isAsBefore, isUntouched, type Job, mismatchOf, type Plan } from "./job.js";
import type { KnownFacts } from "./known-facts.js";
import { digestOf, type Failed, type Outcome, type Report } from "./report.js";
import { RollbackFailedError } from "./rollback-failed-error.js";
import { applyScript, inBulk, readScript, recordsOf, rulesOf, type Transaction } from "./script.js";
import type { Step } from "./step.js";

/** A job that waits, with the callbacks of its promise. */
export interface Waiting {
  readonly job: Job;
  resolve(done: Done): void;
  reject(error: Error): void;
  /** The first plan, if its records are on the host and its line had no effect. */
  readonly begun?: Plan;
}

type Planned = Waiting & Plan;

/** Number of times that a plan is made anew because the host changed meanwhile. */
const planLimit = 5;

/** Runs a script on the host. */
type Run = (script: (nonce: string) => string) => Promise<Report>;

/**
 * Serves jobs together. A plan may come from `known`, which holds the facts that earlier scripts read back.
 * The host compares facts before it acts, and refuses a plan if they have changed. A script may take `seconds`.
 */
export const serve = (...given: ConstructorParameters<typeof Batch>): Promise<void> =>
  new Batch(...given).serve();

class Batch {
  readonly #label: string;
  readonly #names: readonly FactName[];
  /** Jobs without a result. */
  #open: readonly Waiting[];
  /** Whether the facts come from this batch, not from an earlier one. */
  #isFresh = false;
  /** Whether each job runs by itself. */
  #isAlone = false;
  /** The facts because of which the host refused the last plan. */
  #changed: readonly FactName[] = [];

  constructor(
    label: string,
    private readonly seconds: number,
    private readonly known: KnownFacts,
    private readonly run: Run,
    jobs: readonly Waiting[],
  ) {
    this.#label = label;
    this.#names = [...new Set(jobs.flatMap(({ job }) => job.facts))].sort();
    this.#open = jobs;
  }

  async serve(): Promise<void> {
    if (!this.known.hasAll(this.#names)) await this.#read();
    for (let round = 0; this.#open.length > 0; round++) {
      if (round === planLimit) throw changingHost(this.#label, planLimit, this.#changed.map(shownFact));
      const planned = this.#planAll();
      const acting = planned.filter(({ steps }) => steps.length > 0);
      // The known facts may be the reason that a plan fails or has no steps.
      if (!this.#isFresh && (acting.length === 0 || planned.length < this.#open.length)) {
        await this.#read();
        continue;
      }
      const { left, isStale } = await this.#applyAll(acting);
      this.#isFresh = true;
      const idle = planned.filter(({ steps }) => steps.length === 0);
      if (!isStale) for (const { resolve, notes } of idle) resolve({ facts: this.#facts(), notes });
      // After an incomplete bulk each remaining job runs by itself, so that the host prints its error.
      this.#isAlone ||= !isStale;
      this.#open = isStale ? [...left, ...idle] : left;
    }
  }

  /** Plans all open jobs from the known facts. Leaves out those whose plan fails. */
  #planAll(): Planned[] {
    const facts = this.#facts();
    return this.#open.flatMap((waiting) => {
      try {
        return [
          { ...waiting, ...waiting.job.plan(facts), ...(waiting.begun && { notes: waiting.begun.notes }) },
        ];
      } catch (error) {
        if (this.#isFresh) waiting.reject(explained(this.#label, error));
        return [];
      }
    });
  }

  /** Applies the plans. Returns the jobs without a result, and whether the host refused a plan. */
  async #applyAll(acting: readonly Planned[]): Promise<{ left: Waiting[]; isStale: boolean }> {
    const groups = this.#isAlone ? acting.map((one) => [one]) : acting.length > 0 ? [acting] : [];
    const left: Waiting[] = [];
    let isStale = false;
    for (const group of groups) {
      const before = this.#facts();
      const transactions = group.map(({ job, steps }) => ({ owner: job.owner, steps }));
      const report = await this.#send(transactions);
      if (report.stale && report.timedOut) throw readingTimedOut(this.#label, this.seconds);
      isStale ||= report.stale;
      const unserved = report.stale
        ? group
        : await this.#resolveGroup(group, inBulk(transactions), report, before);
      left.push(...unserved);
    }
    return { left, isStale };
  }

  /** Gives each job of a group its result. Returns the jobs whose line of the bulk had no effect. */
  async #resolveGroup(
    group: readonly Planned[],
    bulk: ReadonlySet<number>,
    { outcomes, timedOut }: Report,
    before: Facts,
  ): Promise<readonly Waiting[]> {
    const after = this.#facts();
    const left: Planned[] = [];
    for (const [i, planned] of group.entries()) {
      if (!bulk.has(i)) await this.#resolveJob(planned, outcomes.get(i), before, after, timedOut);
      else if (
        mismatchOf(this.#label, planned.job, after) !== undefined &&
        isUntouched(planned.job, planned.steps, after)
      )
        left.push({ ...planned, begun: planned });
      else await this.#resolveJob(planned, { kind: "kept" }, before, after, timedOut);
    }
    if (!timedOut || left.length === 0) return left;
    // To run each job by itself would take as long again. Their records are on the host already.
    await this.#send(left.map(({ job, steps }) => undoing(job, recordsOf(steps))));
    for (const { steps, reject } of left)
      reject(commandTimedOut(this.#label, rulesOf(steps)[0]?.run ?? [], this.seconds));
    return [];
  }

  /** Gives a job its result. */
  async #resolveJob(
    { job, steps, notes, resolve, reject }: Planned,
    outcome: Outcome | undefined,
    before: Facts,
    after: Facts,
    timedOut: boolean,
  ): Promise<void> {
    if (outcome?.kind === "failed") {
      reject(this.#failure(job, steps[outcome.step]?.run ?? [], outcome, before, after, timedOut));
      return;
    }
    if (outcome?.kind !== "kept") throw unexpectedOutput(this.#label, "a transaction has no result");
    const mismatch = mismatchOf(this.#label, job, after);
    if (mismatch === undefined) resolve({ facts: after, notes });
    else reject(await this.#undo(job, steps, mismatch, before));
  }

  /** Returns the error of a transaction that failed, and that the host has undone. */
  #failure(
    job: Job,
    argv: readonly string[],
    { code, text, undoErrors }: Failed,
    before: Facts,
    after: Facts,
    timedOut: boolean,
  ): HostError {
    // A command with a code above 128 was killed.
    const failure =
      timedOut && (code === refusals.notBegun || code > 128)
        ? commandTimedOut(this.#label, argv, this.seconds)
        : commandFailure(this.#label, argv, code, text);
    if (undoErrors.length > 0)
      return new RollbackFailedError(
        this.#label,
        notUndone(failure.reason, undoErrors.map(lastLines)),
        after,
      );
    // A failed command may have done its work, or a part of it.
    return isAsBefore(job, before, after)
      ? failure
      : new RollbackFailedError(
          this.#label,
          notUndone(failure.reason, ["a part of it is still there"]),
          after,
        );
  }

  /** Undoes steps that succeeded without the wanted result. Returns the error. */
  async #undo(
    job: Job,
    steps: readonly Step[],
    { reason, remedy }: NonNullable<ReturnType<typeof mismatchOf>>,
    before: Facts,
  ): Promise<HostError> {
    const { stale, outcomes } = await this.#send([undoing(job, steps)]);
    const outcome = outcomes.get(0);
    const isUndone = !stale && outcome?.kind === "undone" && outcome.undoErrors.length === 0;
    return isUndone && isAsBefore(job, before, this.#facts())
      ? undoneMismatch(this.#label, reason, remedy)
      : new RollbackFailedError(this.#label, notUndone(reason), this.#facts());
  }

  #facts(): Facts {
    return this.known.facts(this.#names);
  }

  async #read(): Promise<void> {
    const names = [...new Set([...this.#names, ...inEachReading])];
    const report = await this.#runScript((nonce) => readScript(nonce, names)).catch((error) => {
      // A reading without an answer has changed nothing.
      throw withoutToken(error);
    });
    if (report.timedOut && !this.known.hasAll(this.#names)) throw readingTimedOut(this.#label, this.seconds);
    this.#isFresh = true;
  }

  async #send(transactions: readonly Transaction[]): Promise<Report> {
    const before = new Map(this.known.sections);
    const expect = digestOf(before, this.#names);
    const report = await this.#runScript((nonce) =>
      applyScript(nonce, { expect, facts: this.#names, transactions }),
    );
    if (report.stale)
      this.#changed = this.#names.filter(
        (name) => digestOf(before, [name]) !== digestOf(report.sections, [name]),
      );
    return report;
  }

  async #runScript(script: (nonce: string) => string): Promise<Report> {
    const report = await this.run(script);
    const silent = this.#names.find((name) => !report.sections.has(name));
    if (silent !== undefined) throw unexpectedOutput(this.#label, `there is no section ${silent}`);
    this.known.put(report.sections);
    return report;
  }
}

const undoing = ({ owner }: Job, undo: readonly Step[]): Transaction => ({ owner, steps: [], undo });
