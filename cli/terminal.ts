import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { constants } from "node:os";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Returns whether a terminal sends Ctrl-C, which goes to every program on it. */
const onTerminal = (): boolean => process.stdin.isTTY === true;

let running: ChildProcess | undefined;

/**
 * Stops signals from ending this process. The running program receives each signal once, and ends in order.
 * Without one, `otherwise` receives the signal.
 */
export function outlive(otherwise: (signal: NodeJS.Signals, terminal: boolean) => void): void {
  for (const signal of signals)
    process.on(signal, () => {
      if (!running?.pid) otherwise(signal, onTerminal());
      // Without a terminal the program has its own process group.
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
