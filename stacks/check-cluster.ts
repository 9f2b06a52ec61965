import * as pulumi from "@pulumi/pulumi";
import { unknownValue } from "../providers/engine/inputs.js";
import { plainText } from "../src/values/foreign.js";
import { errorsWith, type PlacedProblem, placedProblems, showPath } from "../src/values/problem.js";
import { isOutput } from "./cluster/inputs.js";
import { isMap, type Place } from "./cluster/places.js";
import { type KindName, kinds } from "./cluster/schema.js";
import { words } from "./cluster/words.js";
import { mayBeOutput, noOutput } from "./outputs.js";
import { clusterRules } from "./rules/index.js";
import { type Named, type View, viewOf } from "./rules/rule.js";
import { stackRules } from "./rules/stack.js";

/** The messages of a cluster's schemas, with the words of other programs. @internal */
export const clusterErrors = errorsWith(words);

/** Returns a copy with the placeholder instead of each output, and their places. */
function withoutOutputs(value: unknown, at: Place, places: Place[]): unknown {
  if (isOutput(value)) {
    places.push(at);
    return unknownValue;
  }
  if (Array.isArray(value)) return value.map((one, i) => withoutOutputs(one, [...at, i], places));
  if (!isMap(value)) return value;
  // A map that is made of entries keeps a field `__proto__`.
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, withoutOutputs(one, [...at, name], places)]),
  );
}

/** Returns a copy of a value with the placeholder at a place. What leads there may be of the wrong type. */
function masked(value: unknown, [first, ...rest]: Place): unknown {
  if (first === undefined) return unknownValue;
  if (Array.isArray(value)) return value.map((one, i) => (i === Number(first) ? masked(one, rest) : one));
  if (!isMap(value)) return unknownValue;
  return Object.fromEntries([
    ...Object.entries(value),
    [first, masked(Object.hasOwn(value, first) ? value[first] : undefined, rest)],
  ]);
}

const valueAt = (value: unknown, at: Place): unknown =>
  at.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown> | undefined)?.[key], value);

const isWithin = (at: readonly PropertyKey[], above: Place): boolean =>
  above.every((key, i) => at[i] === key);

/**
 * Checks the arguments of a cluster by the schema of its kind and by all rules. Outputs take no part: the
 * resources check their values later. Returns each mistake, and the cluster for the rules of a stack.
 */
export function checkCluster(kind: KindName, given: unknown): { view: View; problems: PlacedProblem[] } {
  const outputs: Place[] = [];
  const plain = withoutOutputs(given, [], outputs);
  const parsed = kinds[kind].safeParse(isMap(plain) ? { ...plain, kind } : plain, {
    error: clusterErrors,
  });
  const wrong = (parsed.error ? placedProblems(parsed.error) : []).filter(
    ({ at }) => !outputs.some((output) => isWithin(at, output)),
  );
  const misplaced = outputs.filter((at) => !mayBeOutput(at)).map((at) => ({ at, reason: noOutput }));
  const args = [...wrong, ...misplaced].reduce((value, { at }) => masked(value, at as Place), plain);
  const view = viewOf(kind, args as never, {
    isUnknown: (at) => valueAt(args, at) === unknownValue,
    isOutput: (at) => outputs.some((output) => showPath(output) === showPath(at)),
  });
  const crossing = clusterRules.flatMap((rule) => rule.find(view));
  return { view, problems: [...wrong, ...misplaced, ...crossing] };
}

const programs = new WeakMap<object, Named[]>();

/** Returns lines of a message, one for each mistake. A schema and a rule may report the same one. */
export const linesOf = (problems: readonly PlacedProblem[], under: Place = []): string[] => [
  ...new Set(problems.map(({ at, reason }) => `${showPath([...under, ...at])}: ${reason}`)),
];

/** Returns the mistakes between clusters of one stack. */
export const stackProblems = (clusters: readonly Named[]): PlacedProblem[] =>
  stackRules.flatMap((rule) => rule.find(clusters));

/**
 * Returns the arguments of a component, or throws an error that lists every mistake. Nothing of the cluster is
 * registered then. Earlier clusters of the program take part in the rules of a stack.
 */
export function checked<Args extends object>(kind: KindName, name: string, args: Args): Args {
  const { view, problems } = checkCluster(kind, args);
  const run = pulumi.runtime.getMonitor();
  const earlier = (run && programs.get(run)) ?? [];
  // The hosts know a thing by its owner, which is made of this name.
  if (earlier.some(({ under }) => under[0] === name))
    throw new pulumi.RunError(
      `cannot make cluster ${plainText(name)}: the program has a cluster of this name already; give each its own name`,
    );
  const all = [...earlier, { under: [name], view }];
  const between = stackProblems(all).filter(({ at }) => at[0] === name);
  const lines = [
    ...linesOf(problems),
    ...linesOf(between.map(({ at, reason }) => ({ at: at.slice(1), reason }))),
  ];
  if (lines.length > 0)
    throw new pulumi.RunError(
      `cannot make cluster ${plainText(name)}: its arguments are not right:\n${lines.map((line) => `  ${line}`).join("\n")}`,
    );
  if (run) programs.set(run, all);
  return args;
}
