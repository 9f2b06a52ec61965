import { mkdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * Returns the folder where Node keeps compiled code, because Pulumi starts the program and the provider for each command.
 * Returns undefined if another user may write there: Node runs what it finds.
 */
export function compiledCodeFolder(): string | undefined {
  const { XDG_CACHE_HOME: given = "" } = process.env;
  const ours = join(isAbsolute(given) ? given : join(homedir(), ".cache"), "pulumi-lvs");
  const folder = join(ours, "compiled");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const isPrivate = [ours, folder].every((one) => {
      const { uid, mode } = statSync(one);
      return uid === process.getuid?.() && (mode & 0o022) === 0;
    });
    return isPrivate ? folder : undefined;
  } catch {
    return undefined;
  }
}
