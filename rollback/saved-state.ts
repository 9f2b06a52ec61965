import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { automation } from "@pulumi/pulumi";
import { filesOf } from "./backend-files.js";
import type { StackFiles } from "./checkpoints.js";
import type { Exported } from "./deployment.js";
import type { FailedChange } from "./events.js";
import { pulumiOutput } from "./pulumi-cli.js";

/** The data that `up` saves before an update. */
export interface Saved {
  readonly format: 1;
  /** The stack with its backend, for a person who finds the file. */
  readonly stack: string;
  /** The export before the update, with encrypted secrets. */
  readonly before: Exported;
  /** The newest operation of the history when the copy was saved, as `operationId` identifies it. */
  readonly previous: string;
  /** The update, identified in the same way. undefined while it runs, and forever after a kill. */
  readonly update?: string | undefined;
  /** Failures of the update that `rollback` needs to know. */
  readonly failures?: readonly FailedChange[];
  /** True as soon as a rollback of the update has begun. */
  readonly begun?: boolean;
  /** True after the update was rolled back. */
  readonly isRolledBack?: boolean;
}

/** The names of fields in copies of older versions. */
interface Former {
  readonly troubles?: readonly FailedChange[];
  readonly takenBack?: boolean;
}

/** The copy of a stack from before its last update, in a file that only its user can read. */
export class SavedCopy {
  readonly #backend: string;

  private constructor(
    readonly path: string,
    /** Without a password. */
    readonly url: string,
    readonly project: string,
    readonly stack: string,
    backend: string,
  ) {
    this.#backend = backend;
  }

  /** Returns the stack's files in the backend, or undefined if only the CLI reads them. */
  files(): StackFiles | undefined {
    const files = filesOf(this.url.startsWith("file://") ? this.url : this.#backend);
    return files && { files, project: this.project, stack: this.stack.split("/").at(-1) as string };
  }

  /**
   * Opens the copy in the user's Pulumi folder, which also has projects and credentials. A file in the
   * project would end up in its repository.
   */
  static async of({ name, workspace }: automation.Stack): Promise<SavedCopy> {
    const { url: given = "" } = JSON.parse(await pulumiOutput(workspace, ["whoami", "--json"])) as {
      url?: string;
    };
    const url = addressOf(given, workspace.workDir);
    const { name: project } = await workspace.projectSettings();
    const home = workspace.pulumiHome ?? workspace.envVars.PULUMI_HOME ?? process.env.PULUMI_HOME;
    const key = createHash("sha256").update(`${url} ${project} ${name}`).digest("hex").slice(0, 16);
    const file = `${project}-${name.split("/").at(-1)}-${key}.json`;
    return new SavedCopy(
      join(home || join(homedir(), ".pulumi"), "pulumi-lvs", file),
      url,
      project,
      name,
      given,
    );
  }

  async read(): Promise<Saved | undefined> {
    try {
      const saved: Saved & Former = JSON.parse(await readFile(this.path, "utf8"));
      const { troubles, takenBack, ...rest } = saved;
      return {
        ...(troubles && { failures: troubles }),
        ...(takenBack !== undefined && { isRolledBack: takenBack }),
        ...rest,
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw new Error(`cannot read ${this.path}: ${(error as Error).message}`);
    }
  }

  async restore(earlier: Saved | undefined): Promise<void> {
    if (earlier) await this.write(earlier);
    else await rm(this.path, { force: true });
  }

  async write(saved: Omit<Saved, "format" | "stack">): Promise<void> {
    const folder = dirname(this.path);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    const fresh = `${this.path}.${process.pid}`;
    await writeFile(
      fresh,
      JSON.stringify({ ...saved, format: 1, stack: `${this.project}/${this.stack} in ${this.url}` }),
      { mode: 0o600 },
    );
    await rename(fresh, this.path);
  }
}

/**
 * Returns a backend's URL without the password of a database. A folder has its full path, because two
 * checkouts may both call theirs `./state`.
 */
export function addressOf(url: string, workDir: string): string {
  const folder = /^file:\/\/(.*)$/.exec(url)?.[1];
  if (folder === undefined)
    return (
      url
        // a password may have an "@", and the last one ends it
        .replace(/\/\/[^/?#]*@/, "//")
        .replace(/([?&])password=[^&]*&?/g, "$1")
        .replace(/[?&]$/, "")
    );
  return `file://${resolve(workDir, folder.replace(/^~(?=\/|$)/, homedir()))}`;
}
