import { parseArgs } from "node:util";
import { type ForgetCommandLine, parseForget } from "./forget/arguments.js";

/** The parsed command line. */
export type CommandLine =
  | { readonly command: "help" }
  | { readonly command: "wrong"; readonly why: string }
  | ForgetCommandLine
  | {
      readonly command: "up" | "rollback";
      /** Flags that Pulumi has, too, for each of its runs. */
      readonly stack?: string;
      readonly cwd?: string;
      readonly configFile?: string;
      readonly verify?: string;
      /** Arguments for `pulumi up`, unchanged. */
      readonly rest: readonly string[];
    };

// Flags of `pulumi up` with a value, so that no value is read as a flag.
const withValue = {
  stack: { type: "string", short: "s" },
  cwd: { type: "string", short: "C" },
  message: { type: "string", short: "m" },
  config: { type: "string", short: "c", multiple: true },
  target: { type: "string", short: "t", multiple: true },
  parallel: { type: "string", short: "p" },
  "config-file": { type: "string" },
  verify: { type: "string" },
} as const;

const flags = {
  help: { type: "boolean", short: "h" },
  yes: { type: "boolean", short: "y" },
} as const;

/** Parses the command line. It reads a few flags, and Pulumi checks all but `--verify`. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const [command, ...args] = argv;
  if (command === undefined || ["help", "--help", "-h"].includes(command)) return { command: "help" };
  if (command === "forget") return parseForget(args);
  if (command !== "up" && command !== "rollback")
    return { command: "wrong", why: `there is no command ${JSON.stringify(command)}; see pulumi-lvs --help` };
  const { values, tokens, positionals } = parseArgs({
    args,
    options: { ...withValue, ...flags },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  if (values.help) return { command: "help" };
  const verify = tokens.filter((token) => token.kind === "option" && token.name === "verify");
  const wrong = verify.find((token) => token.kind === "option" && !token.value);
  if (wrong)
    return {
      command: "wrong",
      why: "--verify needs a command, such as --verify 'curl -fsS http://192.168.0.210/'",
    };
  if (command === "rollback") {
    const known = new Set(["stack", "cwd", "config-file", "yes", "non-interactive", "color"]);
    const odd = tokens.find((token) => token.kind === "option" && !known.has(token.name));
    if (odd?.kind === "option" || positionals[0] !== undefined)
      return {
        command: "wrong",
        why: `rollback does not know ${odd?.kind === "option" ? odd.rawName : positionals[0]}; see pulumi-lvs --help`,
      };
  }
  const dropped = new Set(
    verify.flatMap((token) =>
      token.kind === "option" && !token.inlineValue ? [token.index, token.index + 1] : [token.index],
    ),
  );
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
  return {
    command,
    rest: args.filter((_, i) => !dropped.has(i)),
    ...given("stack", text(values.stack)),
    ...given("cwd", text(values.cwd)),
    ...given("configFile", text(values["config-file"])),
    ...given("verify", text(values.verify)),
  };
}

const given = <Name extends string>(name: Name, value: string | undefined): { [N in Name]?: string } =>
  (value === undefined ? {} : { [name]: value }) as { [N in Name]?: string };
