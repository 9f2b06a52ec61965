import type { Stack } from "../lab/stack.mts";

/** Seconds of a command: those of the clock, and those of the processor. */
export interface Run {
  readonly seconds: number;
  readonly processor: number;
  readonly text: string;
}

/** Runs a command of a stack, which must succeed. A shell tells the seconds of the processor, also of what it starts. */
export async function measured(stack: Stack, command: string): Promise<Run> {
  const begun = performance.now();
  const script = `TIMEFORMAT="processor %U %S"; time ${command} --stack program`;
  const { code, text } = await stack.run("bash", ["-c", script]);
  const seconds = (performance.now() - begun) / 1000;
  const [, user, system] = /^processor (\S+) (\S+)$/m.exec(text) ?? [];
  if (code !== 0) throw new Error(text);
  return { seconds, processor: Number(user) + Number(system), text };
}
