import { setTimeout as pause } from "node:timers/promises";
import { print } from "./output.mts";

type Running = { pid: number; title: string };

// one Ctrl-C arrives up to three times: from the terminal, from npm and from demo.mjs
const sameKeyPress = 1500;

let first: number | undefined;
let running: Running | undefined;

/** Tells which process to stop gently, or none. */
export const guard = (child: Running | undefined): void => {
  running = child;
};

/** Whether the user wants to stop. A child that was interrupted may be heard of sooner than the signal to ourselves. */
export const wasInterrupted = async (): Promise<boolean> => {
  await pause(100);
  return first !== undefined;
};

/** On Ctrl-C, signals the guarded process to stop once what it has begun is finished; without one, calls `leave` at once. */
export const onInterrupt = (leave: () => unknown): void => {
  const interrupt = () => {
    const again = first !== undefined;
    if (first !== undefined && performance.now() - first < sameKeyPress) return;
    first = performance.now();
    if (!running) return leave();
    print(
      again
        ? `  stopping ${running.title} at once`
        : `  stopping ${running.title}: it finishes what it has begun`,
    );
    // a process group of its own, so that the terminal's own signal does not count as the second one
    process.kill(running.pid, "SIGINT");
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
};
