#!/usr/bin/env node
import "./node-version.js";

import { parseCommandLine } from "./program.js";

async function main(): Promise<number> {
  const args = parseCommandLine(process.argv.slice(2));
  if (args.command === "help") {
    process.stdout.write(args.text);
    return 0;
  }
  if (args.command === "wrong") {
    console.error(`pulumi-lvs: ${args.why}`);
    return 2;
  }
  if (args.command === "forget") {
    const { forget } = await import("./forget/forget.js");
    return forget(args, { list: console.log, log: (line) => console.error(`pulumi-lvs: ${line}`) });
  }
  const output = {
    // The process ends after the last byte: a pipe takes 64 KB at once.
    print: (text: string) => new Promise<void>((done) => process.stdout.write(`${text}\n`, () => done())),
    log: (line: string) => console.error(`pulumi-lvs: ${line}`),
  };
  if (args.command === "plan") {
    const { plan } = await import("./plan/command.js");
    return plan(args, output);
  }
  if (args.command === "failover" || args.command === "maintenance") {
    const { moveAddresses } = await import("./failover/command.js");
    return moveAddresses(args, output);
  }
  if (args.command === "rolling") {
    const { roll } = await import("./failover/rolling.js");
    return roll(args, output);
  }
  if (args.command === "status") {
    const { status } = await import("./status/command.js");
    return status(args, output);
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
