import * as built from "../../test/support/machines/built.mts";
import { reset, status, unsupported, up } from "../../test/support/machines/lab.mts";
import { Failure } from "./failure.mts";
import { beginStep, endStep, print, step } from "./output.mts";

let title: string | undefined;
let builds: string[] = [];

/** Stops and removes an image in the making, whose machines are not the lab's own. */
export const dropBuild = async (): Promise<void> => {
  for (const dir of builds) await built.dropBuild(dir);
};

// the lab says "title …" when a second has passed and "title … 4.2 s" at the end: that is one line of ours
const log = (text: string): void => {
  const line = text.replace("starting nothing", "finding the lab at work");
  // only one process at a time builds, so what is there while we do is ours
  if (line.startsWith("building ")) builds = built.buildsNow();
  const [, ended, seconds] = /^(.*) … ([\d.]+) s$/.exec(line) ?? [];
  const begun = /^(.*) …$/.exec(line)?.[1];
  if (begun) {
    title = begun;
    beginStep(begun);
  } else if (ended && seconds) {
    if (title !== ended) beginStep(ended);
    endStep(`${seconds.padStart(6)} s`);
  } else print(`  ${line}`);
};

/** Has all hosts running, as they were after their first boot; returns whether the lab ran before. */
export const startLab = async (): Promise<boolean> => {
  const reason = unsupported();
  if (reason) throw new Failure(`no lab, and so no demo: ${reason}`);
  const ranBefore = (await status()).some(({ pid }) => pid !== undefined);
  await up(log);
  builds = [];
  // machines that were just started are as new
  if (ranBefore) await step("resetting the hosts", () => reset());
  return ranBefore;
};
