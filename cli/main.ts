#!/usr/bin/env node
import { parseCommandLine } from "./arguments.js";

const help = `usage: pulumi-lvs up [--verify COMMAND] [flags of pulumi up]
       pulumi-lvs rollback [--stack NAME] [--cwd FOLDER] [--config-file FILE]
       pulumi-lvs forget HOST [--yes] [--all-of PROJECT/STACK] [flags of the connection, such as --user NAME]

up        runs pulumi up; if it fails, or COMMAND fails after it, brings hosts and state back to what they were before
rollback  rolls the last update of the stack back
forget    lists records on HOST of things that are not there, or all of a stack's; with --yes deletes them

Exit codes of up and rollback: 0 done, 10 rolled back, 11 could not roll back. Any other is Pulumi's: nothing of this package was changed.
Exit codes of forget: 0 nothing is left to forget, 1 it failed, 2 wrong arguments, 3 it listed something and changed nothing.
Resources of other packages stay as the update left them. More is in docs/rollback.md.`;

async function main(): Promise<number> {
  const args = parseCommandLine(process.argv.slice(2));
  if (args.command === "help") {
    console.log(help);
    return 0;
  }
  if (args.command === "wrong") {
    console.error(`pulumi-lvs: ${args.why}`);
    return 2;
  }
  if (args.command === "forget") {
    const { forget } = await import("./forget/forget.js");
    return forget(args, { list: console.log, say: (line) => console.error(`pulumi-lvs: ${line}`) });
  }
  // Pulumi takes a second to load, so it is loaded only if needed.
  const { runCommand } = await import("./commands.js");
  return runCommand(args);
}

main().then(
  (code) => process.exit(code),
  (error: Error & { code?: unknown }) => {
    console.error(`pulumi-lvs: ${error.message}`);
    process.exit(typeof error.code === "number" ? error.code : 1);
  },
);
