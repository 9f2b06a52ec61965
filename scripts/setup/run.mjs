import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

/** @param {string} output */
function shortened(output) {
  const lines = output.trimEnd().split("\n");
  // Compilers end with the reason, npm begins with it and ends with its usage.
  return lines.length > 60 ? [...lines.slice(0, 30), "…", ...lines.slice(-30)].join("\n") : lines.join("\n");
}

/**
 * Runs a program to its end and returns its standard output. What it wrote is shown only if it fails.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, interactive?: boolean, follow?: (line: string) => void }} [options] `interactive`
 * lets it use the terminal, for a password; `follow` gets each line of its standard output
 * @returns {Promise<string>}
 */
export function run(program, args, { cwd, env, interactive = false, follow } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env,
      stdio: interactive ? "inherit" : ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let output = "";
    if (follow && child.stdout) createInterface({ input: child.stdout }).on("line", follow);
    child.stdout?.on("data", (chunk) => {
      stdout += chunk;
      output += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      output += chunk;
    });
    // Interrupted set-ups leave no compiler behind.
    const kill = () => child.kill();
    // First of all: what it works on is removed at the exit too.
    process.prependOnceListener("exit", kill);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      process.off("exit", kill);
      if (code === 0) return resolve(stdout);
      reject(
        new Error(
          `${program} ${args.join(" ")}: ${signal ?? `exit code ${code}`}\n${shortened(output)}`.trimEnd(),
        ),
      );
    });
  });
}

/**
 * @param {string} file
 * @returns {boolean} whether it is a file that may be executed
 */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * @param {string} program
 * @param {readonly string[]} [more] folders to look in after those of PATH
 * @returns {string | undefined} the first file of that name
 */
export function which(program, more = []) {
  const folders = [...(process.env.PATH ?? "").split(delimiter).filter(Boolean), ...more];
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}
