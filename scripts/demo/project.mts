import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sshConfigPath } from "../../test/support/machines/lab.mts";
import { demoDir } from "../pulumi-env.mjs";

const checkout = join(import.meta.dirname, "../..");

/** Folder of what every command printed. */
export const logDir = (): string => join(demoDir(), "logs");

// a stack leaves its salt in its configuration, and the demo edits it: so both are copies, outside the checkout
const copyConfig = (from: string, stack: string): void => {
  const text = readFileSync(join(checkout, from), "utf8").replace(/^encryptionsalt:.*\n?/m, "");
  writeFileSync(join(demoDir(), `Pulumi.${stack}.yaml`), text);
};

/**
 * Makes the demo's own Pulumi project: program and settings are this checkout's, configuration and states its own. States of
 * an earlier demo are dropped: they are of hosts that were reset since.
 */
export const makeProject = (configs: Readonly<Record<string, string>>): void => {
  const dir = demoDir();
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(logDir(), { recursive: true });
  const project = readFileSync(join(checkout, "Pulumi.yaml"), "utf8");
  writeFileSync(join(dir, "Pulumi.yaml"), project.replace(/^main: /m, "main: checkout/"));
  symlinkSync(checkout, join(dir, "checkout"));
  symlinkSync(sshConfigPath(), join(dir, "ssh_config"));
  for (const [stack, from] of Object.entries(configs)) copyConfig(from, stack);
};
