import { readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { stopAll } from "../../test/lab/boot.mts";
import { reset, status, unsupported, up } from "../../test/lab/lab.mts";
import { cacheRoot } from "../../test/lab/paths.mts";
import { Failure } from "./failure.mts";
import { beginStep, endStep, say, step } from "./output.mts";

let title: string | undefined;
let builds: string[] = [];

// only one process at a time builds an image, so what is there while we do is ours
const noteBuild = (): void => {
  const names = readdirSync(cacheRoot()).filter((name) => name.startsWith("build-"));
  builds = names.map((name) => join(cacheRoot(), name));
};

/** Stops and removes an image in the making, whose machines are not the lab's own. */
export const dropBuild = async (): Promise<void> => {
  for (const dir of builds) {
    await stopAll(dir);
    await rm(dir, { recursive: true, force: true });
  }
};

// the lab says "title …" when a second has passed and "title … 4.2 s" at the end: that is one line of ours
const log = (text: string): void => {
  const line = text.replace("starting nothing", "finding the lab at work");
  if (line.startsWith("building the image")) noteBuild();
  const [, ended, seconds] = /^(.*) … ([\d.]+) s$/.exec(line) ?? [];
  const begun = /^(.*) …$/.exec(line)?.[1];
  if (begun) {
    title = begun;
    beginStep(begun);
  } else if (ended && seconds) {
    if (title !== ended) beginStep(ended);
    endStep(`${seconds.padStart(6)} s`);
  } else say(`  ${line}`);
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
