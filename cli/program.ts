import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, type CommanderError } from "commander";
import { parsePlan, parseRollback, parseUp, wantsHelp } from "./arguments.js";
import type { CommandLine } from "./command-line.js";
import { failoverCommand, maintenanceCommand, rollingCommand, statusCommand } from "./failover/describe.js";
import { parseForget } from "./forget/arguments.js";
import { connectionFlags } from "./forget/flags.js";
import { example, ofProgram, type Take } from "./help.js";

const wrong = (why: string): CommandLine => ({ command: "wrong", why });

/** The package's folder is one level up from the source, and two from the compiled file. */
function version(): string {
  for (const up of ["..", "../.."]) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(__dirname, up, "package.json"), "utf8"));
      if (name === "pulumi-lvs") return version;
    } catch {}
  }
  return "unknown";
}

/** Describes `up`. Its arguments are not read here, because most are Pulumi's and go on in their order. */
function upCommand(): Command {
  return new Command("up")
    .usage("[--plan FILE] [--verify COMMAND] [flags of pulumi up]")
    .description("Runs pulumi up. If it or the verification fails, restores hosts and state.")
    .option("--verify <command>", "shell command that checks the result after an update that succeeded")
    .option("--plan <file>", "run the plan that plan --save wrote, and refuse anything else")
    .addHelpText(
      "after",
      `
Own flags are --verify, --plan and --help. All others go to \`pulumi up\` unchanged: see pulumi up --help.

${example("npx pulumi-lvs up --yes --stack prod --verify 'curl -fsS http://192.168.0.210/'", "npx pulumi-lvs up --yes --stack prod --plan plan.json")}

Exit codes:
  0      the update and the verification succeeded
  2      wrong flags
  10     it failed, and hosts and state are as they were before
  11     it failed, and not everything could be rolled back
  12     the update is not that of --plan; nothing was changed
  14     a director, or a host of --plan, could not be read; nothing was changed
  127    the Pulumi CLI is not installed
  other  Pulumi's own: nothing of this package was changed

Resources of other packages stay as the update left them. More is in docs/rollback.md.`,
    );
}

function planCommand(take: Take): Command {
  return ofProgram(new Command("plan"))
    .usage("[flags]")
    .description("Prints the lines that pulumi up would run on each host, and what undoes each.")
    .option("--json", "print as JSON")
    .option("--markdown", "print as Markdown, for a pull request")
    .option("--live", "read the hosts, and print what each change means for open connections")
    .option("--save <file>", "write the plan to a file, for pulumi-lvs up --plan")
    .addHelpText(
      "after",
      `
It runs pulumi preview. Without --live, no host is reached, and no key is read.

${example(
  "npx pulumi-lvs plan --stack prod",
  "npx pulumi-lvs plan --stack prod --markdown >plan.md",
  "npx pulumi-lvs plan --stack prod --live --save plan.json",
)}

Exit codes:
  0      it printed the plan
  13     it printed the plan, and up would refuse a change of it
  14     --live could not read a host
  2      wrong flags
  127    the Pulumi CLI is not installed
  other  Pulumi's own: there is no plan

More is in docs/plan.md.`,
    )
    .action((flags) => take(parsePlan(flags)));
}

function rollbackCommand(take: Take): Command {
  return ofProgram(new Command("rollback"))
    .usage("[flags]")
    .description("Rolls the last update of the stack back.")
    .option("-y, --yes", "accepted as by pulumi up; there is no prompt")
    .option("--non-interactive", "accepted as by pulumi up; there is no prompt")
    .option("--color <when>", "accepted as by pulumi up; there are no colours")
    .addHelpText(
      "after",
      `
${example("npx pulumi-lvs rollback --stack prod")}

Exit codes:
  0      the last update is rolled back
  1      there is nothing to roll back
  2      wrong flags
  11     not everything could be rolled back; each rest is named
  127    the Pulumi CLI is not installed
  other  Pulumi's own: nothing was changed

More is in docs/rollback.md.`,
    )
    .action((flags) => take(parseRollback(flags)));
}

function forgetCommand(take: Take): Command {
  const command = new Command("forget")
    .usage("HOST [flags]")
    .argument("[hosts...]")
    .description(
      "Lists records on HOST of things that are not there, or all of a stack's. Deletes them with --yes.",
    )
    .option("-y, --yes", "delete what is listed")
    .option("--all-of <project/stack>", "all records of one stack, whether the things are there or not")
    .option("--json", "list as JSON");
  for (const [flag, { value, text }] of Object.entries(connectionFlags))
    command.option(value === undefined ? `--${flag}` : `--${flag} <${value}>`, text);
  return command
    .configureHelp({ visibleArguments: () => [] })
    .addHelpText(
      "after",
      `
${example("npx pulumi-lvs forget director1", "npx pulumi-lvs forget director1 --all-of lvs/old --yes")}

Exit codes:
  0  nothing is left to forget
  1  it failed
  2  wrong flags
  3  it listed something and changed nothing

More is in docs/failures.md.`,
    )
    .action((hosts: string[], flags) => take(parseForget(hosts, flags)));
}

/** Returns the command line. `take` receives what a command understood, `print` a help text. */
function program(take: Take, print: (text: string) => void): Command {
  const all = new Command("pulumi-lvs")
    .usage("COMMAND [flags]")
    .description("Linux Virtual Server clusters as Pulumi resources: whole updates, and their rollback.")
    .version(version(), "-V, --version", "print the version of pulumi-lvs")
    .addHelpText(
      "after",
      "\npulumi-lvs COMMAND --help shows the flags, an example and the exit codes of a command.",
    );
  const takers = [
    planCommand,
    rollbackCommand,
    failoverCommand,
    maintenanceCommand,
    rollingCommand,
    statusCommand,
    forgetCommand,
  ];
  for (const command of [upCommand(), ...takers.map((one) => one(take))]) all.addCommand(command);
  for (const command of [all, ...all.commands])
    command
      .helpOption("-h, --help", "print this help")
      .exitOverride()
      .configureHelp({ ...command.configureHelp(), helpWidth: 100 })
      .configureOutput({ writeOut: print, writeErr: () => undefined, getOutHasColors: () => false });
  return all;
}

/** Parses the command line, after the program's name. It runs nothing. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  let found: CommandLine | undefined;
  let text = "";
  const take: Take = (one) => {
    found = one;
  };
  const print = (part: string): void => {
    text += part;
  };
  const all = program(take, print);
  const [command, ...args] = argv;
  if (command === undefined) return { command: "help", text: all.helpInformation() };
  if (command === "up" && !wantsHelp(args)) return parseUp(args);
  try {
    all.parse(argv, { from: "user" });
  } catch (error) {
    const { code, message, exitCode } = error as CommanderError;
    if (code === undefined || exitCode === undefined) throw error;
    if (exitCode === 0) return { command: "help", text };
    return wrong(`${plain(message)}; see ${helpOf(command)}`);
  }
  return found ?? { command: "help", text: all.helpInformation() };
}

/** Returns one of the library's messages in one line, in the words of our own. */
const plain = (message: string): string =>
  message
    .replace(/^error: /, "")
    .replace(/\n\(Did you mean (.*)\?\)$/, (_, words: string) => `; did you mean ${words}?`)
    .replaceAll(/\s*\n\s*/g, " ");

const helpOf = (command: string): string =>
  ["plan", "rollback", "failover", "maintenance", "rolling", "status", "forget"].includes(command)
    ? `pulumi-lvs ${command} --help`
    : "pulumi-lvs --help";
