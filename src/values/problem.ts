import { z } from "zod";
import { plainText } from "./foreign.js";
import { typeHint, unknownField, valueHint, type Words } from "./hints.js";

/** One mistake in the input: where (`persistence.timeout`, `realServers[1].address`) and why. */
export interface Problem {
  readonly path: string;
  readonly reason: string;
}

/** Returns a value as messages show it: strings in quotes, long ones cut. */
export function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "number") return String(value);
  // Cut first: the text may have megabytes.
  return plainText(
    JSON.stringify(typeof value === "string" ? value.slice(0, 100) : value) ?? String(value),
    80,
  );
}

/** Returns an input as messages show it. Lists and maps stay closed, because they may hold secrets. */
export function showGiven(value: unknown): string {
  if (typeof value !== "object" || value === null) return show(value);
  return Array.isArray(value) ? "a list" : "a map";
}

/**
 * Returns `["realServers", 1, "address"]` as people write it: `realServers[1].address`. Keys that are not
 * words are quoted.
 */
export function showPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) => {
      if (typeof part === "number") return `[${part}]`;
      const key = String(part);
      if (!/^[\w-]{1,60}$/.test(key)) return `[${show(key)}]`;
      return i ? `.${key}` : key;
    })
    .join("");
}

const shapeOf = (inst: unknown): z.core.$ZodShape | undefined =>
  (inst as { _zod?: { def?: { shape?: z.core.$ZodShape } } } | undefined)?._zod?.def?.shape;

/**
 * Returns messages of zod checks in the words of an operator: the value, what is allowed, and what to write.
 * `words` are those of other programs. @internal
 */
export const errorsWith =
  (words: Words): z.core.$ZodErrorMap =>
  (issue) => {
    const value = showGiven(issue.input);
    switch (issue.code) {
      case "invalid_type":
        if (issue.input === undefined) return "is missing";
        return `${value} is not ${article(issue.expected)}${typeHint(issue.input, issue.expected, shapeOf(issue.inst))}`;
      case "invalid_value":
        if (issue.input === undefined) return "is missing";
        return `${value} must be one of ${issue.values.join(", ")}${valueHint(issue.input, issue.values)}`;
      case "too_big":
        return issue.origin === "string" || issue.origin === "array"
          ? `is longer than ${issue.maximum}`
          : `${value} is above ${issue.maximum}`;
      case "too_small":
        if (issue.origin === "string" || issue.origin === "array") return "must not be empty";
        return `${value} is below ${issue.minimum}`;
      case "not_multiple_of":
        return `${value} is not a whole number`;
      case "invalid_key":
        return issue.issues[0]?.message;
      case "invalid_union": {
        if (issue.input === undefined) return "is missing";
        const types = issue.errors.flatMap((form) =>
          form[0]?.code === "invalid_type" ? [article(form[0].expected)] : [],
        );
        return `${value} is not ${[...new Set(types)].join(" or ")}`;
      }
      case "unrecognized_keys": {
        // One line for each key: issueProblems takes them apart.
        const known = Object.keys(shapeOf(issue.inst) ?? {});
        return issue.keys.map((key) => unknownField(key, known, words)).join("\n");
      }
      default:
        return undefined;
    }
  };

/** The messages without words of other programs. @internal */
export const errorMap: z.core.$ZodErrorMap = errorsWith({});

const names: Record<string, string> = { int: "whole number", record: "map", object: "map", array: "list" };

function article(expected: string): string {
  const noun = names[expected] ?? expected;
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}

/** A map by names. Refuses `__proto__`, which zod drops without an error. @internal */
export const mapOf = <Key extends z.core.$ZodRecordKey, Value extends z.core.SomeType>(
  key: Key,
  value: Value,
  params?: Parameters<typeof z.record>[2],
) =>
  z.preprocess(
    (given, context) => {
      if (typeof given === "object" && given !== null && Object.hasOwn(given, "__proto__"))
        context.issues.push({
          code: "custom",
          input: given,
          path: ["__proto__"],
          message: "is not a known property",
        });
      return given;
    },
    z.record(key, value, params),
  );

/** A mistake with the keys that lead to it. */
export interface PlacedProblem {
  readonly at: readonly PropertyKey[];
  readonly reason: string;
}

/**
 * Returns the problems of a failed parse, one for each wrong place. An unknown key is reported on that key.
 * @internal
 */
export const problemsOf = (error: z.ZodError, under: readonly PropertyKey[] = []): Problem[] =>
  placedProblems(error, under).map(({ at, reason }) => ({ path: showPath(at), reason }));

/** Returns the same problems with their places as keys. @internal */
export function placedProblems(error: z.ZodError, under: readonly PropertyKey[] = []): PlacedProblem[] {
  const problems = error.issues.flatMap((issue) => issueProblems(issue, under));
  const paths = problems.map(({ at }) => showPath(at));
  // A number above all whole numbers is above the property's own limit, too. The nearer limit helps more.
  return problems.filter((_, i) => !paths.slice(i + 1).includes(paths[i] as string));
}

function issueProblems(issue: z.core.$ZodIssue, under: readonly PropertyKey[]): PlacedProblem[] {
  const path = [...under, ...issue.path];
  // Among the forms that a value may have, report the mistake in the closest one.
  const forms =
    issue.code === "invalid_union"
      ? issue.errors.filter((form) =>
          form.some(({ path, code }) => path.length > 0 || code !== "invalid_type"),
        )
      : [];
  if (forms[0]) return forms[0].flatMap((inner) => issueProblems(inner, path));
  if (issue.code !== "unrecognized_keys") return [{ at: path, reason: issue.message }];
  const reasons = issue.message.split("\n");
  return issue.keys.map((key, i) => ({ at: [...path, key], reason: reasons[i] ?? issue.message }));
}
