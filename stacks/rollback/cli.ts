#!/usr/bin/env node
import { asked } from "./arguments.js";

const help = `usage: pulumi-lvs up [--verify COMMAND] [flags of pulumi up]
       pulumi-lvs rollback [--stack NAME] [--cwd FOLDER] [--config-file FILE]

up        runs pulumi up; if it fails, or COMMAND fails after it, brings hosts and state back to what they were before
rollback  takes the last update of the stack back

Exit codes: 0 done, 10 rolled back, 11 could not roll back. Any other is Pulumi's: nothing of this package was changed.
Resources of other packages stay as the update left them. More is in docs/rollback.md.`;

async function main(): Promise<number> {
  const args = asked(process.argv.slice(2));
  if (args.command === "help") {
    console.log(help);
    return 0;
  }
  if (args.command === "wrong") {
    console.error(`pulumi-lvs: ${args.why}`);
    return 2;
  }
  // Pulumi is loaded only where it is wanted: it takes a second
  const { carryOut } = await import("./commands.js");
  return carryOut(args);
}

main().then(
  (code) => process.exit(code),
  (error: Error & { code?: unknown }) => {
    console.error(`pulumi-lvs: ${error.message}`);
    process.exit(typeof error.code === "number" ? error.code : 1);
  },
);
