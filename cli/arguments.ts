import { parseArgs } from "node:util";
import { closest } from "../src/values/closest.js";
import type { CommandLine } from "./command-line.js";

// Flags of `pulumi up` with a value, so that no value is read as a flag.
const withValue = {
  stack: { type: "string", short: "s" },
  cwd: { type: "string", short: "C" },
  message: { type: "string", short: "m" },
  config: { type: "string", short: "c", multiple: true },
  target: { type: "string", short: "t", multiple: true },
  replace: { type: "string", multiple: true },
  parallel: { type: "string", short: "p" },
  "config-file": { type: "string" },
  verify: { type: "string" },
  plan: { type: "string" },
} as const;

const flags = {
  help: { type: "boolean", short: "h" },
  yes: { type: "boolean", short: "y" },
  refresh: { type: "boolean", short: "r" },
  "config-path": { type: "boolean" },
} as const;

/** Returns the flags of `up` in their order, with the values that belong to them. */
const tokensOf = (args: readonly string[]) =>
  parseArgs({
    args: [...args],
    options: { ...withValue, ...flags },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });

/** Returns whether the arguments of `up` request its help. */
export const wantsHelp = (args: readonly string[]): boolean => tokensOf(args).values.help === true;

/** Returns the names of the flags of `up`, long or short, with their values. */
export const flagsOf = (args: readonly string[]): { name: string; value?: string | undefined }[] =>
  tokensOf(args).tokens.flatMap((token) =>
    token.kind === "option" ? [{ name: token.name, value: token.value }] : [],
  );

const needsCommand = "--verify needs a command, such as --verify 'curl -fsS http://192.168.0.210/'";

const needsFile = "--plan needs the file that pulumi-lvs plan --save has written";

/** Flags of `up` that Pulumi does not get. */
const own: readonly string[] = ["verify", "plan"];

/** Reads the arguments of `up`. Pulumi checks all but `--verify` and `--plan`. */
export function parseUp(args: readonly string[]): CommandLine {
  const { values, tokens } = tokensOf(args);
  const options = tokens.filter((token) => token.kind === "option");
  const ours = options.filter(({ name }) => own.includes(name));
  const empty = ours.find(({ value }) => !value);
  if (empty) return { command: "wrong", why: empty.name === "plan" ? needsFile : needsCommand };
  const misspelt = options.find(({ name, rawName }) => rawName.startsWith("--") && isMisspelt(name));
  if (misspelt)
    return { command: "wrong", why: `unknown option '${misspelt.rawName}'; did you mean --verify?` };
  const dropped = new Set(
    ours.flatMap(({ index, inlineValue }) => (inlineValue ? [index] : [index, index + 1])),
  );
  return {
    command: "up",
    rest: args.filter((_, i) => !dropped.has(i)),
    ...ofStack({ ...values, configFile: values["config-file"] }),
    ...given("verify", values.verify),
    ...given("plan", values.plan),
  };
}

/** Pulumi's `--verbose` is no misspelling of `--verify`. */
const isMisspelt = (name: string): boolean =>
  name !== "verify" && closest(name, ["verify", "verbose", "version"]) === "verify";

/** Reads the flags of `rollback`. */
export const parseRollback = (flags: Record<string, unknown>): CommandLine => ({
  command: "rollback",
  rest: [],
  ...ofStack(flags),
});

/** Reads the flags of `plan`. */
export function parsePlan({ json, markdown, live, save, ...flags }: Record<string, unknown>): CommandLine {
  if (json && markdown)
    return {
      command: "wrong",
      why: "plan prints --json or --markdown, not both; see pulumi-lvs plan --help",
    };
  return {
    command: "plan",
    format: json ? "json" : markdown ? "markdown" : "text",
    ...(live ? { live: true } : {}),
    ...given("save", save),
    ...ofStack(flags),
  };
}

/** Returns the flags that name a stack, as far as they are given. */
export const stackFlags = ({ stack, cwd }: Readonly<Record<string, unknown>>) => ({
  ...given("stack", stack),
  ...given("cwd", cwd),
});

const ofStack = (flags: Readonly<Record<string, unknown>>) => ({
  ...stackFlags(flags),
  ...given("configFile", flags.configFile),
});

/** Returns a value under its name, if it is given. */
export const given = <Name extends string>(name: Name, value: unknown): { [N in Name]?: string } =>
  (typeof value === "string" && value !== "" ? { [name]: value } : {}) as { [N in Name]?: string };
