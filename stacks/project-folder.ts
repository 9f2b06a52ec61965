import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Returns the folder of the Pulumi project around a folder, or undefined if there is none. */
export function projectFolder(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"].some((file) => existsSync(join(at, file)))) return at;
    if (dirname(at) === at) return undefined;
  }
}
