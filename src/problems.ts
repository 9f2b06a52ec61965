import type { z } from "zod";

/** One thing wrong with the input: where (`persistence.timeout`, `realServers[1].address`) and why. */
export interface Problem {
  readonly path: string;
  readonly reason: string;
}

/** A value as it is shown to people: strings quoted, long ones cut. */
export function show(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** `["realServers", 1, "address"]` as people write it: `realServers[1].address`. */
export function showPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) => (typeof part === "number" ? `[${part}]` : i ? `.${String(part)}` : String(part)))
    .join("");
}

/** Message for zod's own checks in the words of an operator: the value, and what is allowed. */
export const errorMap: z.core.$ZodErrorMap = (issue) => {
  const value = show(issue.input);
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return "is missing";
      return `${value} is not ${article(issue.expected)}`;
    case "invalid_value":
      return `${value} is none of ${issue.values.join(", ")}`;
    case "too_big":
      return issue.origin === "string" || issue.origin === "array"
        ? `is longer than ${issue.maximum}`
        : `${value} is above ${issue.maximum}`;
    case "too_small":
      if (issue.origin === "string" || issue.origin === "array") return "must not be empty";
      return `${value} is below ${issue.minimum}`;
    case "not_multiple_of":
      return `${value} is not a whole number`;
    case "invalid_union":
      return `${value} has none of the allowed forms`;
    default:
      return undefined;
  }
};

const names: Record<string, string> = { int: "whole number", record: "map", object: "map", array: "list" };

function article(expected: string): string {
  const noun = names[expected] ?? expected;
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}

/** The problems in a failed parse, one per wrong place; an unknown key is reported on that key. */
export function problemsOf(error: z.ZodError, under: readonly PropertyKey[] = []): Problem[] {
  return error.issues.flatMap((issue) => issueProblems(issue, under));
}

function issueProblems(issue: z.core.$ZodIssue, under: readonly PropertyKey[]): Problem[] {
  const path = [...under, ...issue.path];
  // of the forms that a value may have, the one that it comes closest to says best what is wrong
  const forms =
    issue.code === "invalid_union"
      ? issue.errors.filter((form) =>
          form.some(({ path, code }) => path.length > 0 || code !== "invalid_type"),
        )
      : [];
  if (forms[0]) return forms[0].flatMap((inner) => issueProblems(inner, path));
  if (issue.code !== "unrecognized_keys") return [{ path: showPath(path), reason: issue.message }];
  return issue.keys.map((key) => ({ path: showPath([...path, key]), reason: "is not a known property" }));
}
