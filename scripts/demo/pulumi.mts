import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { demoDir, demoEnv } from "../pulumi-env.mjs";
import { Failure, Interrupted } from "./failure.mts";
import { guard, wasInterrupted } from "./interrupt.mts";
import { logDir } from "./project.mts";

let count = 0;

const writeLog = (args: readonly string[], output: string): string => {
  const [verb = "", ...rest] = args.filter((word) => !word.startsWith("-"));
  const name = [String(++count).padStart(2, "0"), verb, rest.at(-1)].join("-");
  const file = join(logDir(), `${name.replaceAll("/", "-")}.log`);
  writeFileSync(file, `$ pulumi ${args.join(" ")}\n${output}`);
  return file;
};

// the engine puts its reasons last, under this heading
const reasons = (output: string): string[] => {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const diagnostics = lines.findIndex((line) => line.startsWith("Diagnostics:"));
  return (diagnostics < 0 ? lines : lines.slice(diagnostics)).slice(-20);
};

/** Runs the CLI on the demo's own project and backend; returns what it printed. */
export const pulumi = async (...args: string[]): Promise<string> => {
  const child = spawn("pulumi", [...args, "--non-interactive", "--color", "never"], {
    cwd: demoDir(),
    env: { ...process.env, ...demoEnv() },
    stdio: ["ignore", "pipe", "pipe"],
    // away from the terminal's Ctrl-C: see interrupt.mts
    detached: true,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  const title = `pulumi ${args[0]}`;
  if (child.pid !== undefined) guard({ pid: child.pid, title });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  }).finally(() => guard(undefined));
  const log = writeLog(args, output);
  if (await wasInterrupted()) throw new Interrupted();
  if (code !== 0)
    throw new Failure(
      `pulumi ${args.slice(0, 3).join(" ")} failed (exit code ${code})`,
      reasons(output),
      `less ${log}`,
    );
  return output;
};
