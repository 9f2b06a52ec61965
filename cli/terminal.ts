import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { constants } from "node:os";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Returns whether a terminal sends Ctrl-C, which goes to every program on it. */
const onTerminal = (): boolean => process.stdin.isTTY === true;

let running: ChildProcess | undefined;
/** The first signal that came while it ran. */
let received: NodeJS.Signals | undefined;

/** How a program ended. */
interface Ended {
  readonly code: number;
  /** The signal that came meanwhile. Pulumi 3.258 may end with 0 after it, although it did not delete everything. */
  readonly signal: NodeJS.Signals | undefined;
}

/**
 * Stops signals from ending this process. The running program receives each signal once, and ends in order.
 * Without one, `otherwise` receives the signal.
 */
export function outlive(otherwise: (signal: NodeJS.Signals, terminal: boolean) => void): void {
  for (const signal of signals)
    process.on(signal, () => {
      received ??= signal;
      if (!running?.pid) otherwise(signal, onTerminal());
      // Without a terminal the program has its own process group.
      else if (!onTerminal()) process.kill(-running.pid, signal);
      else if (signal !== "SIGINT") running.kill(signal);
    });
}

/** Runs a program with this one's standard streams, and returns how it ended. */
export function run(program: string, args: readonly string[], options: SpawnOptions = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    received = undefined;
    const child = spawn(program, args, { ...options, stdio: "inherit", detached: !onTerminal() });
    running = child;
    child.on("error", reject);
    child.on("close", (code, signal) => {
      running = undefined;
      resolve({ code: code ?? 128 + (signal ? constants.signals[signal] : 0), signal: received });
    });
  });
}
