import { readdirSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import SSHConfig from "ssh-config";
import { HostError } from "../errors.js";
import { valuesFor } from "./config-sections.js";
import { matchesGlob } from "./glob.js";
import { homePath } from "./home-path.js";
import { maxListFile, readRegularFile } from "./read-file.js";

const configPath = () => process.env.LVS_SSH_CONFIG ?? "~/.ssh/config";

/** Limit of nested Includes, as in ssh. */
const maxDepth = 16;

/** Returns the SSH client's configuration for a host, by lower-case key. */
export const configOf = (host: string): Map<string, string[]> => valuesFor(readConfig(), host);

function readConfig(): SSHConfig {
  const path = homePath(configPath());
  let text: string;
  try {
    text = readRegularFile(path, maxListFile).toString("utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" && !process.env.LVS_SSH_CONFIG)
      return new SSHConfig();
    throw new HostError(
      configPath(),
      `cannot read the SSH configuration: ${(error as Error).message}`,
      "make the file readable, or name another one by LVS_SSH_CONFIG",
    );
  }
  try {
    return SSHConfig.parse(included(text, dirname(path), 0));
  } catch (error) {
    throw new HostError(
      configPath(),
      `cannot understand the SSH configuration: ${(error as Error).message.split("\n")[0]}`,
      "correct the file; `ssh -G HOST` shows what ssh reads from it",
    );
  }
}

/** Returns the text with the included files in place. After them the section with the Include goes on. */
function included(text: string, directory: string, depth: number): string {
  if (depth > maxDepth) throw new Error(`files include one another more than ${maxDepth} deep`);
  let section = "Host *";
  return text
    .split(/\r?\n/)
    .flatMap((line) => {
      if (/^\s*(?:Host|Match)\s/i.test(line)) section = line;
      const names = /^\s*Include(?:\s*=\s*|\s+)(.*)$/i.exec(line)?.[1];
      if (names === undefined) return [line];
      const files = (names.match(/"[^"]*"|\S+/g) ?? []).flatMap((name) =>
        filesOf(name.replaceAll('"', ""), directory),
      );
      return [...files.map((file) => included(readIfThere(file), directory, depth + 1)), section];
    })
    .join("\n");
}

/** Returns the files that a pattern names. `*` and `?` may stand in the last part of a path. */
function filesOf(pattern: string, directory: string): string[] {
  const expanded = homePath(pattern);
  const path = isAbsolute(expanded) ? expanded : join(directory, expanded);
  const last = basename(path);
  if (!/[*?]/.test(last)) return [path];
  try {
    return readdirSync(dirname(path))
      .filter((name) => matchesGlob(last, name) && (!name.startsWith(".") || last.startsWith(".")))
      .sort()
      .map((name) => join(dirname(path), name));
  } catch {
    return [];
  }
}

// As in ssh, an included file may be missing.
function readIfThere(path: string): string {
  try {
    return readRegularFile(path, maxListFile).toString("utf8");
  } catch {
    return "";
  }
}
