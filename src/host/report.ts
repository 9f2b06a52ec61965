import { createHash } from "node:crypto";
import { type FactName, type Section, ticks } from "../facts/facts.js";
import { show } from "../values/problem.js";

/** The result of one transaction. */
export type Outcome = { readonly kind: "kept" } | Failed | Undone;

/** A step failed, and the host has undone the steps before it. */
export interface Failed {
  readonly kind: "failed";
  readonly step: number;
  readonly code: number;
  readonly text: string;
  /** Output of the undo commands that failed. */
  readonly undoErrors: readonly string[];
}

/** The host has undone an earlier transaction. */
interface Undone {
  readonly kind: "undone";
  readonly undoErrors: readonly string[];
}

/** The report of one script. */
export interface Report {
  readonly sections: ReadonlyMap<FactName, Section>;
  readonly outcomes: ReadonlyMap<number, Outcome>;
  /** True if the facts had changed since the plan. The script then did nothing. */
  readonly stale: boolean;
  /** Exit code of `take_lock` if the script could not take the lock. */
  readonly locked: number | undefined;
  /** True if the script timed out and was signalled to end. */
  readonly timedOut: boolean;
}

/** The report has another form: it was cut off, or something else wrote into it. */
class ReportError extends Error {}

/**
 * Reads a script's output. Every line of ours starts with the script's nonce. Lines between a `fact` and its
 * `end` belong to the fact, and lines outside (a banner, a message of the day) are ignored.
 */
export function parseReport(nonce: string, output: string): Report {
  const sections = new Map<FactName, Section>();
  const outcomes = new Map<number, Outcome>();
  let stale = false;
  let locked: number | undefined;
  let timedOut = false;
  let fact: { name: FactName; from: number } | undefined;
  let failed: { text: string[]; sink: (text: string) => void } | undefined;
  let complete = false;

  const finishText = () => {
    // Output comes byte by byte (see digestOf). Text for people is UTF-8.
    failed?.sink(Buffer.from(failed.text.join("\n"), "latin1").toString("utf8"));
    failed = undefined;
  };
  const mark = `${nonce} `;
  let at = 0;
  while (at < output.length) {
    const newline = output.indexOf("\n", at);
    const to = newline < 0 ? output.length : newline;
    const line = output.slice(at, to);
    const start = at;
    at = to + 1;
    if (!line.startsWith(mark)) {
      if (line.includes(nonce)) throw new ReportError("other output is within it");
      continue;
    }
    if (newline < 0) throw new ReportError("the report is incomplete");
    const [word = "", ...rest] = line.slice(mark.length).split(" ");
    if (word === "text") {
      failed?.text.push(line.slice(mark.length + 5));
      continue;
    }
    finishText();
    // The number of numbers that follow the word.
    const count = {
      end: 1,
      error: 1,
      kept: 1,
      failed: 3,
      undo_failed: 2,
      undone: 1,
      stale: 0,
      locked: 1,
      begun: 1,
      mark: 2,
      timeout: 0,
      done: 0,
      bulk: 0,
    }[word];
    const isForm =
      word === "fact"
        ? rest.length === 1 && /^[!-~]{1,300}$/.test(rest[0] as string)
        : rest.length === count && rest.every((number) => /^-?\d{1,9}$/.test(number));
    if (!isForm) throw new ReportError(`unknown line ${show(line)}`);
    if (complete) throw new ReportError("there is output after its end");
    if (fact && word !== "end" && word !== "error") throw new ReportError("a section has no end");
    switch (word) {
      case "fact":
        fact = { name: rest[0] as FactName, from: at };
        if (sections.has(fact.name)) throw new ReportError("a section is there twice");
        break;
      case "end":
      case "error": {
        if (!fact) throw new ReportError("a section has no begin");
        const { name, from } = fact;
        // The script ends every body with a newline of its own.
        const body = output.slice(from, Math.max(from, start - 1));
        fact = undefined;
        if (word === "end" && body.length !== Number(rest[0]))
          throw new ReportError(`${name} was changed on the way`);
        if (word === "end") sections.set(name, { body });
        else failed = { text: [], sink: (text) => sections.set(name, { code: Number(rest[0]), text }) };
        break;
      }
      case "kept":
        outcomes.set(Number(rest[0]), { kind: "kept" });
        break;
      case "undone":
        outcomes.set(Number(rest[0]), { kind: "undone", undoErrors: [] });
        break;
      case "failed": {
        const [job, step, code] = rest.map(Number) as [number, number, number];
        const undoErrors: string[] = [];
        failed = {
          text: [],
          sink: (text) => outcomes.set(job, { kind: "failed", step, code, text, undoErrors }),
        };
        break;
      }
      case "undo_failed": {
        const outcome = outcomes.get(Number(rest[0]));
        failed = {
          text: [],
          sink: (text) => outcome && "undoErrors" in outcome && (outcome.undoErrors as string[]).push(text),
        };
        break;
      }
      case "stale":
        stale = true;
        break;
      case "locked":
        locked = Number(rest[0]);
        break;
      case "begun":
      case "mark":
        break;
      case "timeout":
        timedOut = true;
        break;
      case "done":
        complete = true;
        break;
      case "bulk":
        // The facts that are read back show the result of each line.
        failed = { text: [], sink: () => undefined };
        break;
    }
  }
  finishText();
  if (!complete) throw new ReportError("the report is incomplete");
  return { sections, outcomes, stale, locked, timedOut };
}

/** Returns the digest that the host computes of the same facts in the same order. */
export function digestOf(sections: ReadonlyMap<FactName, Section>, facts: readonly FactName[]): string {
  const bodies = facts.flatMap((name) => {
    const section = ticks(name) ? undefined : sections.get(name);
    return section && "body" in section ? [section.body] : [];
  });
  const text = `${steady(bodies.join(""))}\n`;
  return createHash("sha256").update(Buffer.from(text, "latin1")).digest("hex");
}

/** Leaves out what differs at each reading, as `is_as_planned` of lib/script.sh does with the same text. */
const steady = (text: string): string =>
  text
    .replace(/(^|\n)( {2}-> [^ \n]* +[0-9]+ +[0-9]+) [^\n]*/g, "$1$2")
    .replace(/_life_time":[0-9]*/g, '_life_time":0');
