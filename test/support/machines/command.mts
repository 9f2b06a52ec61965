import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";

/** Hears what is going on, a line at a time. */
export type Log = (line: string) => void;

/** What a finished command left behind. */
export type Result = { code: number; stdout: string; stderr: string };

type Options = {
  input?: string;
  timeoutSeconds?: number;
  /** Descriptors to use in place of pipes. */
  stdin?: number;
  stdout?: number;
};

// mke2fs and vde_switch may sit in sbin, which ordinary users have not on their PATH
export const searchPath = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`;

/** Runs a program to its end; only a timeout or a missing program throws. */
export const attempt = (argv: readonly string[], options: Options = {}): Promise<Result> =>
  new Promise((resolve, reject) => {
    const [program = "", ...args] = argv;
    const child = spawn(program, args, {
      stdio: [options.stdin ?? "pipe", options.stdout ?? "pipe", "pipe"],
      env: { ...process.env, PATH: searchPath },
    });
    const seconds = options.timeoutSeconds ?? 60;
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`no answer within ${seconds} s: ${argv.join(" ")}`));
    }, seconds * 1000);
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 255, stdout, stderr });
    });
    // a program that ends without reading its input is no error of ours
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.input ?? "");
  });

/** Runs a program that has to succeed. */
export const execute = async (argv: readonly string[], options: Options = {}): Promise<Result> => {
  const result = await attempt(argv, options);
  if (result.code !== 0)
    throw new Error(
      `exit code ${result.code}: ${argv.join(" ")}\n${result.stderr}${result.stdout}`.trimEnd(),
    );
  return result;
};

/** Asks again and again until the answer is no longer undefined; throws after the given seconds. */
export const until = async <T,>(
  what: string,
  seconds: number,
  ask: (attempt: number) => Promise<T | undefined>,
): Promise<T> => {
  const end = performance.now() + seconds * 1000;
  for (let attempt = 0; ; attempt++) {
    const answer = await ask(attempt);
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    await pause(100);
  }
};

/** Does the same for each, all at once; waits for every one of them before it throws, so that none is still at work. */
export const all = async <T,>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> => {
  const results = await Promise.allSettled(items.map(work));
  const failure = results.find((result) => result.status === "rejected");
  if (failure) throw failure.reason;
};

/** Says what is going on, once it has taken a second, and how long it took in the end. */
export const step = async <T,>(log: Log, title: string, work: () => Promise<T>): Promise<T> => {
  const start = performance.now();
  const timer = setTimeout(() => log(`${title} …`), 1000);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    const seconds = (performance.now() - start) / 1000;
    if (seconds > 1) log(`${title} … ${seconds.toFixed(seconds < 10 ? 1 : 0)} s`);
  }
};
