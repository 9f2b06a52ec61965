import type { Command } from "commander";
import type { CommandLine } from "./command-line.js";

/** What a command makes of its part of the command line. */
export type Take = (line: CommandLine) => void;

/** Returns the lines of a help text that show how a command is called. */
export const example = (...lines: readonly string[]): string =>
  `${lines.length > 1 ? "Examples" : "Example"}:\n${lines.map((line) => `  ${line}`).join("\n")}`;

/** Adds the flags that name a stack, which Pulumi has, too. */
export const ofStack = (command: Command): Command =>
  command
    .option("-s, --stack <name>", "the stack; default: the selected one")
    .option("-C, --cwd <folder>", "run as if started in this folder");

/** Adds the flag of a stack's configuration to those. */
export const ofProgram = (command: Command): Command =>
  ofStack(command).option(
    "--config-file <file>",
    "the stack's configuration; default: Pulumi.STACK.yaml of the project",
  );
