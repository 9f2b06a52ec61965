import { sshConfigPath, status } from "../../test/support/machines/lab.mts";
import { demoDir } from "../pulumi-env.mjs";
import { print, styled } from "./output.mts";
import { deployed } from "./stack.mts";

const rows = (title: string, lines: readonly (readonly [string, string])[]): void => {
  print(`\n${styled("bold", title)}`);
  for (const [what, how] of lines) print(`  ${what.padEnd(26)}${how}`);
};

/** How to go on from a demo that has cleaned up. */
export const printGoOn = (labRuns: boolean): void =>
  rows("How to go on", [
    ["your own hosts", "cp Pulumi.example.yaml Pulumi.prod.yaml, edit it, then npm run preview -- prod"],
    ["what can be said there", "docs/configuration.md"],
    ["play in the lab", "npm run demo -- --keep"],
    ...(labRuns ? [["stop the lab", "npm run lab -- down"] as const] : []),
  ]);

/** How to play with what `--keep` leaves up, and how to clean up in the end. */
export const printPlay = (stacks: readonly string[]): void => {
  rows("Log in", [
    ...(["director", "client"] as const).map((host) => [host, `ssh -F ${sshConfigPath()} ${host}`] as const),
    ["or", "npm run lab -- ssh director"],
  ]);
  rows("Play (in this folder)", [
    ["environment", `eval "$(node scripts/pulumi-env.mjs --demo)"`],
    ["the stacks' folder", `cd ${demoDir()}`],
    ["edit, then", `pulumi preview --diff --stack ${stacks.at(-1)}; pulumi up --stack ${stacks.at(-1)}`],
    ["drift", `pulumi refresh --preview-only --diff --stack ${stacks.at(-1)}`],
  ]);
  rows("Clean up", [
    ["destroy", stacks.map((stack) => `pulumi destroy --yes --stack ${stack}`).join("; ")],
    ["stop the lab", `cd ${process.cwd()} && npm run lab -- down   (its hosts forget everything)`],
  ]);
};

/** What is still up after a demo that did not get through. */
export const printLeft = async (): Promise<void> => {
  const machines = (await status()).filter(({ pid }) => pid !== undefined).map(({ host }) => host);
  if (machines.length === 0) return print("  nothing is left running; npm run demo begins again");
  print(`  still running: the lab's ${machines.join(", ")}`);
  if (deployed.size > 0) print(`  still on them: what was made of ${[...deployed].join(" and ")}`);
  print("  to clean up: npm run lab -- down   (or npm run demo, which begins with clean hosts)");
};
