import { isDeepStrictEqual } from "node:util";
import {
  changingHost,
  commandFailure,
  commandTimedOut,
  factFailure,
  HostError,
  lastLines,
  notUndone,
  readingTimedOut,
  undoneMismatch,
  unexpectedOutput,
  withoutToken,
} from "../errors.js";
import { FactError, type FactName, type Facts, inEachReading } from "../facts/facts.js";
import { refusals } from "../shell/refusals.js";
import type { KnownFacts } from "./known-facts.js";
import { digestOf, type Failed, type Outcome, type Report } from "./report.js";
import { RollbackFailedError } from "./rollback-failed-error.js";
import { applyScript, inBulk, readScript, recordsOf, rulesOf, type Transaction } from "./script.js";
import type { Step } from "./step.js";

/** The steps of a job, and what the caller wants to know of the facts behind them. */
interface Plan<Notes = unknown> {
  readonly steps: readonly Step[];
  readonly notes?: Notes;
}

/** The facts after a job, and the notes of the plan that was carried out. */
export interface Done<Notes = unknown> {
  readonly facts: Facts;
  readonly notes?: Notes | undefined;
}

/** A change or a reading of a host: the facts it needs, and the steps that follow from them. */
export interface Job<Notes = unknown> {
  readonly owner: string;
  readonly facts: readonly FactName[];
  /** Whether a reading may have facts that came a moment ago, as those of one refresh do. Default false. */
  readonly mayBeRecent?: boolean;
  /**
   * Returns the steps. Must be pure, because it runs again if the host has changed meanwhile. An error fails
   * this job only.
   */
  plan(facts: Facts): Plan<Notes>;
  /** Returns the job's part of the host's state. After an undo it must be equal to what it was before. */
  observe(facts: Facts): unknown;
  /** Returns why the host does not show the wanted state after the steps, or undefined if it does. */
  verify(facts: Facts): string | undefined;
}

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
      if (round === planLimit) throw changingHost(this.#label, planLimit);
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
    const why = mismatchOf(this.#label, job, after);
    if (why === undefined) resolve({ facts: after, notes });
    else reject(await this.#undo(job, steps, why, before));
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
  async #undo(job: Job, steps: readonly Step[], why: string, before: Facts): Promise<HostError> {
    const { stale, outcomes } = await this.#send([undoing(job, steps)]);
    const outcome = outcomes.get(0);
    const isUndone = !stale && outcome?.kind === "undone" && outcome.undoErrors.length === 0;
    return isUndone && isAsBefore(job, before, this.#facts())
      ? undoneMismatch(this.#label, why)
      : new RollbackFailedError(this.#label, notUndone(why), this.#facts());
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

  #send(transactions: readonly Transaction[]): Promise<Report> {
    const expect = digestOf(this.known.sections, this.#names);
    return this.#runScript((nonce) => applyScript(nonce, { expect, facts: this.#names, transactions }));
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

/** Returns whether none of the job's steps took effect, records aside. */
function isUntouched(job: Job, steps: readonly Step[], facts: Facts): boolean {
  try {
    const again = rulesOf(job.plan(facts).steps);
    return again.length === 0 || isDeepStrictEqual(again, rulesOf(steps));
  } catch {
    return false;
  }
}

/** Returns whether the job's part of the host's state is as it was before. */
function isAsBefore(job: Job, before: Facts, after: Facts): boolean {
  try {
    return isDeepStrictEqual(job.observe(after), job.observe(before));
  } catch {
    return false;
  }
}

/** Returns why the host does not show the wanted state, also if it cannot be read. */
function mismatchOf(host: string, job: Job, facts: Facts): string | undefined {
  try {
    return job.verify(facts);
  } catch (error) {
    const found = explained(host, error);
    return found instanceof HostError ? found.reason : found.message;
  }
}

/** Returns the error of a job's function in the words of the host's other errors. */
const explained = (host: string, error: unknown): Error =>
  error instanceof FactError ? factFailure(host, error) : (error as Error);
