import { Command } from "commander";
import { example, ofStack, type Take } from "../help.js";
import { parseFailover, parseMaintenance, parseRolling, parseStatus } from "./arguments.js";

const codesWith = (stopped: string) => `Exit codes:
  0      it is so
  1      it failed
  2      wrong flags
  15     refused; nothing was changed
  16     ${stopped}
  127    the Pulumi CLI is not installed
  other  Pulumi's own: nothing was changed

More is in docs/failover.md.`;

const codes = codesWith("the addresses did not move in time, or a director is not released");

/** Describes `failover`. */
export const failoverCommand = (take: Take): Command =>
  ofStack(new Command("failover"))
    .usage("INSTANCE|CLUSTER [flags]")
    .argument("[names...]")
    .description("Moves the addresses of a VrrpInstance to another director, and keeps them there.")
    .option("--to <host>", "the director that gets them; default: the one with the next priority")
    .option("--back", "end it: release the directors that are held")
    .option("--json", "print as JSON")
    .configureHelp({ visibleArguments: () => [] })
    .addHelpText(
      "after",
      `
The director that had them is held: a backup of last resort, until --back or its reboot.

${example("npx pulumi-lvs failover vip-1 --stack prod", "npx pulumi-lvs failover web --to director2", "npx pulumi-lvs failover web --back")}

${codes}`,
    )
    .action((names: string[], flags) => take(parseFailover(names, flags)));

/** Describes `maintenance`. */
export const maintenanceCommand = (take: Take): Command =>
  ofStack(new Command("maintenance"))
    .usage("HOST [flags]")
    .argument("[hosts...]")
    .description("Moves all VrrpInstances away from a director, and keeps them away.")
    .option("--end", "end it: release the director")
    .option("--json", "print as JSON")
    .configureHelp({ visibleArguments: () => [] })
    .addHelpText(
      "after",
      `
The director is held: a backup of last resort, until --end or its reboot.

${example("npx pulumi-lvs maintenance director1 --stack prod", "npx pulumi-lvs maintenance director1 --end")}

${codes}`,
    )
    .action((hosts: string[], flags) => take(parseMaintenance(hosts, flags)));

/** Describes `rolling`. */
export const rollingCommand = (take: Take): Command =>
  ofStack(new Command("rolling"))
    .usage("INSTANCE|CLUSTER [flags] -- COMMAND")
    .argument("[words...]")
    .description("Runs a command on one director after the other, each while the others serve.")
    .configureHelp({ visibleArguments: () => [] })
    .addHelpText(
      "after",
      `
Backups come first. Each director is held, runs COMMAND as root, and is released once it could serve again,
after a reboot too. It stops at the first thing that is not as expected.

${example("npx pulumi-lvs rolling web --stack prod -- reboot", "npx pulumi-lvs rolling web -- apt-get -y upgrade")}

${codesWith("it stopped at a director; COMMAND may have run, and a director may be held")}`,
    )
    .action((words: string[], flags) => take(parseRolling(words, flags)));

/** Describes `status`. */
export const statusCommand = (take: Take): Command =>
  ofStack(new Command("status"))
    .usage("[INSTANCE|CLUSTER] [flags]")
    .argument("[names...]")
    .description("Shows the directors of a stack, and what differs between them and from the state.")
    .option("--json", "print as JSON")
    .configureHelp({ visibleArguments: () => [] })
    .addHelpText(
      "after",
      `
It changes nothing. Without a name it shows each VrrpInstance.

${example("npx pulumi-lvs status --stack prod", "npx pulumi-lvs status web --json")}

Exit codes:
  0      all directors answer and are as the state says, and one of each group has the addresses
  1      it failed
  2      wrong flags
  17     a director does not answer or differs, or no director or several ones have the addresses
  127    the Pulumi CLI is not installed
  other  Pulumi's own

More is in docs/two-directors.md.`,
    )
    .action((names: string[], flags) => take(parseStatus(names, flags)));
