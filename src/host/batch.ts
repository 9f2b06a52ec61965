import { isDeepStrictEqual } from "node:util";
import {
  commandFailure,
  HostError,
  lateFailure,
  lateReading,
  plainly,
  remedyFor,
  said,
  UnansweredError,
} from "../errors.js";
import { FactError, type FactName, Facts, type Section } from "../facts/facts.js";
import type { Job, Waiting } from "./job.js";
import { digestOf, type Outcome, type Report } from "./report.js";
import { applyScript, inBulk, readScript, rulesOf, type Transaction } from "./script.js";
import type { Step } from "./step.js";
import { StuckError } from "./stuck-error.js";

interface Planned extends Waiting {
  readonly steps: readonly Step[];
}

/**
 * Returns a transaction that only undoes. Every step does nothing and the last one fails on purpose, so all
 * undo commands run even if one of them fails.
 */
const takingBack = (steps: readonly Step[]): Step[] => [
  ...steps.map(({ undo }) => ({ run: [":"], undo })),
  { run: ["false"], undo: null },
];

/** Number of times that a plan is made anew because the host changed meanwhile. */
const planLimit = 5;

/**
 * Serves jobs together. A plan may come from `known`, which holds the facts that earlier scripts read back.
 * The host compares facts before it acts, and refuses a plan if they have changed.
 */
export async function serve(
  label: string,
  known: Map<FactName, Section>,
  run: (script: (nonce: string) => string) => Promise<Report>,
  batch: readonly Waiting[],
): Promise<void> {
  const names = [...new Set(batch.flatMap(({ job }) => job.facts))].sort();
  const ask = async (script: (nonce: string) => string) => {
    const report = await run(script);
    const silent = names.find((name) => !report.sections.has(name));
    if (silent !== undefined) throw senseless(`it says nothing of ${silent}`);
    for (const [name, section] of report.sections) known.set(name, section);
    return report;
  };
  const senseless = (why: string) => new UnansweredError(label, `its answer makes no sense: ${why}`);
  const look = () => new Facts(new Map(names.map((name) => [name, known.get(name) as Section])));
  const apply = (transactions: readonly Transaction[]) =>
    ask((nonce) => applyScript(nonce, { expect: digestOf(known, names), facts: names, transactions }));

  // A reading without an answer has changed nothing.
  const read = async () => {
    const report = await ask((nonce) => readScript(nonce, names)).catch((error) => {
      throw plainly(error);
    });
    if (report.late && !isReadable()) throw lateReading(label);
  };

  // Facts that could not be read are read again.
  const isReadable = () => names.every((name) => "body" in (known.get(name) ?? {}));
  let fresh = !isReadable();
  if (fresh) await read();

  let open: readonly Waiting[] = batch;
  let alone = false;
  for (let round = 0; open.length > 0; round++) {
    if (round === planLimit) {
      throw new HostError(
        label,
        "it keeps changing while it is being configured",
        "see who else writes there, and run again",
      );
    }
    const before = look();
    // A plan may fail because a known fact is out of date.
    const planned = open.flatMap((waiting) => planOf(waiting, before, fresh));
    const acting = planned.filter(({ steps }) => steps.length > 0);
    const idle = planned.filter(({ steps }) => steps.length === 0);
    if (!fresh && (acting.length === 0 || planned.length < open.length)) {
      await read();
      fresh = true;
      continue;
    }
    const again: Waiting[] = [];
    let stale = false;
    // After a bulk that was incomplete, each remaining job runs by itself, so that the host tells its error.
    for (const group of alone ? acting.map((one) => [one]) : acting.length > 0 ? [acting] : []) {
      const left = await attempt(group);
      if (left === "stale") stale = true;
      again.push(...(left === "stale" ? group : left));
    }
    fresh = true;
    if (stale) again.push(...idle);
    else {
      for (const { resolve } of idle) resolve(look());
      alone = true;
    }
    open = again;
  }

  function planOf(waiting: Waiting, facts: Facts, final: boolean): Planned[] {
    try {
      return [{ ...waiting, steps: waiting.job.plan(facts) }];
    } catch (error) {
      if (final) waiting.reject(explain(error));
      return [];
    }
  }

  /** Applies one group and settles its jobs. Returns the jobs whose line of the bulk had no effect. */
  async function attempt(group: readonly Planned[]): Promise<readonly Waiting[] | "stale"> {
    const transactions = group.map(({ job, steps }) => ({ owner: job.owner, steps }));
    const before = look();
    const report = await apply(transactions);
    if (report.stale && report.late) throw lateReading(label);
    if (report.stale) return "stale";
    const after = look();
    const bulk = inBulk(transactions);
    const left: Planned[] = [];
    for (const [i, planned] of group.entries()) {
      if (!bulk.has(i)) await conclude(planned, report.outcomes.get(i), before, after, report.late);
      else if (misfit(planned.job, after) === undefined) planned.resolve(after);
      else if (isUntouched(planned, after)) left.push(planned);
      else await conclude(planned, { kind: "kept" }, before, after);
    }
    if (!report.late || left.length === 0) return left;
    // Running each job by itself would take as long again. Their owner marks are on the host already.
    const marks = ({ steps }: Planned) =>
      steps.filter(({ run }) => ["mark", "keep", "note"].includes(run[0] ?? ""));
    await apply(left.map((planned) => ({ owner: planned.job.owner, steps: takingBack(marks(planned)) })));
    for (const { steps, reject } of left) reject(lateFailure(label, rulesOf(steps)[0]?.run ?? []));
    return [];
  }

  async function conclude(
    { job, steps, resolve, reject }: Planned,
    outcome: Outcome | undefined,
    before: Facts,
    after: Facts,
    late = false,
  ): Promise<void> {
    if (!outcome) throw senseless("a transaction was not reported on");
    if (outcome.kind === "failed") {
      const argv = steps[outcome.step]?.run ?? [];
      // 124: not begun; above 128: killed.
      const failure =
        late && (outcome.code === 124 || outcome.code > 128)
          ? lateFailure(label, argv)
          : commandFailure(label, argv, outcome.code, outcome.text);
      // A failed command may have done its work, or a part of it.
      const left =
        outcome.stuck.length > 0
          ? outcome.stuck.map(said)
          : isBack(job, before, after)
            ? []
            : ["something of it is left"];
      reject(
        left.length === 0
          ? failure
          : new StuckError(label, `${failure.reason}; and taking it back failed: ${left.join(" | ")}`, after),
      );
      return;
    }
    const why = misfit(job, after);
    if (why === undefined) {
      resolve(after);
      return;
    }
    const report = await apply([{ owner: job.owner, steps: takingBack(steps) }]);
    const back = report.outcomes.get(0);
    const stuck = report.stale || back?.kind !== "failed" || back.stuck.length > 0;
    if (stuck || !isBack(job, before, look())) {
      reject(new StuckError(label, `${why}; and taking it back failed`, look()));
    } else reject(new HostError(label, `${why}; it was taken back`));
  }

  /** Returns whether none of the job's steps took effect, owner marks aside. */
  function isUntouched({ job, steps }: Planned, facts: Facts): boolean {
    try {
      const again = rulesOf(job.plan(facts));
      return again.length === 0 || isDeepStrictEqual(again, rulesOf(steps));
    } catch {
      return false;
    }
  }

  function isBack(job: Job, before: Facts, after: Facts): boolean {
    try {
      return isDeepStrictEqual(job.look(after), job.look(before));
    } catch {
      return false;
    }
  }

  function misfit(job: Job, facts: Facts): string | undefined {
    try {
      return job.verify(facts);
    } catch (error) {
      const explained = explain(error);
      return explained instanceof HostError ? explained.reason : explained.message;
    }
  }

  function explain(error: unknown): Error {
    if (!(error instanceof FactError)) return error as Error;
    const why = said(error.text) || `no message (exit code ${error.code})`;
    return new HostError(label, `cannot read ${error.fact}: ${why}`, remedyFor(error.text));
  }
}
