import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { automation } from "@pulumi/pulumi";
import type { Exported } from "./deployment.js";
import type { Trouble } from "./events.js";
import { pulumiMust } from "./pulumi-cli.js";

/** What `up` keeps of the time before it. */
export interface Saved {
  readonly format: 1;
  /** The stack with its backend, for whoever finds the file. */
  readonly stack: string;
  /** An export, secrets encrypted. */
  readonly before: Exported;
  /** The newest operation of the history when it was saved, as `operationId` names it. */
  readonly previous: string;
  /** The update, named so too; undefined while it runs, and for ever where it was killed. */
  readonly update?: string | undefined;
  /** What went wrong in it, as far as `rollback` must know. */
  readonly troubles?: readonly Trouble[];
  /** It has been taken back. */
  readonly takenBack?: boolean;
}

/** The copy of a stack as it was before its last update, in a file that only its user reads. */
export class SavedCopy {
  private constructor(
    readonly path: string,
    readonly url: string,
    readonly project: string,
    readonly stack: string,
  ) {}

  /**
   * In Pulumi's own folder of the user, where it keeps what it knows of projects and credentials: what is kept in a project
   * ends in its repository.
   */
  static async of({ name, workspace }: automation.Stack): Promise<SavedCopy> {
    const { url: given = "" } = JSON.parse(await pulumiMust(workspace, ["whoami", "--json"])) as {
      url?: string;
    };
    const url = addressOf(given, workspace.workDir);
    const { name: project } = await workspace.projectSettings();
    const home = workspace.pulumiHome ?? workspace.envVars.PULUMI_HOME ?? process.env.PULUMI_HOME;
    const key = createHash("sha256").update(`${url} ${project} ${name}`).digest("hex").slice(0, 16);
    const file = `${project}-${name.split("/").at(-1)}-${key}.json`;
    return new SavedCopy(join(home || join(homedir(), ".pulumi"), "pulumi-lvs", file), url, project, name);
  }

  async read(): Promise<Saved | undefined> {
    try {
      return JSON.parse(await readFile(this.path, "utf8"));
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

/** Without the password that a database's has; a folder by its full path, as two checkouts may both call theirs `./state`. */
export function addressOf(url: string, workDir: string): string {
  const folder = /^file:\/\/(.*)$/.exec(url)?.[1];
  if (folder === undefined) return url.replace(/\/\/[^/@]*@/, "//");
  return `file://${resolve(workDir, folder.replace(/^~(?=\/|$)/, homedir()))}`;
}
