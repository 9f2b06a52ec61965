import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Returns the folder of the Pulumi project that a folder is in; undefined where it is in none. */
export function projectFolder(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"].some((file) => existsSync(join(at, file)))) return at;
    if (dirname(at) === at) return undefined;
  }
}
