import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { constants } from "node:os";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Whether Ctrl-C is pressed on a terminal: then the terminal sends it to every program there. */
const onTerminal = (): boolean => process.stdin.isTTY === true;

let running: ChildProcess | undefined;

/**
 * From now on no signal ends this process: what runs for it hears them, each once, and ends in order. `otherwise` is told of
 * one that comes while nothing runs.
 */
export function outlive(otherwise: (signal: NodeJS.Signals, terminal: boolean) => void): void {
  for (const signal of signals)
    process.on(signal, () => {
      if (!running?.pid) otherwise(signal, onTerminal());
      // what is not on a terminal is a group of its own
      else if (!onTerminal()) process.kill(-running.pid, signal);
      else if (signal !== "SIGINT") running.kill(signal);
    });
}

/** Runs a program with this one's standard streams and returns its exit code. */
export function run(program: string, args: readonly string[], options: SpawnOptions = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: "inherit", detached: !onTerminal() });
    running = child;
    child.on("error", reject);
    child.on("close", (code, signal) => {
      running = undefined;
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}
