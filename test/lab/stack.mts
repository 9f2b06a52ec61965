import { type ChildProcess, execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pulumiEnv } from "../../scripts/pulumi-env.mjs";
import { keyService, keyServiceEnv } from "../support/key-service.mts";
import { sshConfigPath } from "../support/machines/lab.mts";

/** Stacks that name no passphrase have a key service. */
const noPassphrase = "lab";

const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const cli = join(checkout, "dist/cli/main.js");

/** Has the CLI's processes load half of the SDK. */
export const lean = {
  NODE_OPTIONS: `--require "${join(import.meta.dirname, "lean-sdk.cjs")}"`,
  LVS_PLAIN_JAVASCRIPT: "true",
};

export interface Answer {
  readonly code: number;
  /** Standard output and standard error, as a person sees them. */
  readonly text: string;
}

/** One resource as `pulumi stack export` shows it. */
export interface StateResource {
  readonly type: string;
  readonly urn: string;
  readonly id?: string;
  readonly inputs: Record<string, unknown>;
  readonly outputs: Record<string, unknown>;
  /** Where in the program it was made. */
  readonly sourcePosition?: string;
}

interface EnvironmentOptions {
  readonly configuration?: string;
  readonly env?: Record<string, string>;
  readonly source?: boolean;
}

/** A stack of the real CLI, with a file backend, a configuration and, unless it is this repository's, a program of its own. */
export class Stack {
  readonly #name: string;
  readonly #cwd: string;
  readonly #place: string;
  #env: Record<string, string>;

  private constructor(name: string, cwd: string, place: string, env: Record<string, string>) {
    this.#name = name;
    this.#cwd = cwd;
    this.#place = place;
    this.#env = {
      ...pulumiEnv(join(place, "state")),
      ...env,
      LVS_SSH_CONFIG: sshConfigPath(),
      PULUMI_CONFIG_PASSPHRASE: noPassphrase,
      // `npm run typecheck` has checked the types
      PULUMI_NODEJS_TRANSPILE_ONLY: "true",
      // every command of the CLI starts two Node processes, which read the same code each time
      NODE_COMPILE_CACHE: join(checkout, "node_modules", ".cache", "compiled"),
      ...lean,
      // a command that only reads spends a fifth of its time on garbage
      GOGC: "400",
    };
  }

  /**
   * The repository's own program with the configuration of `Pulumi.<environment>.yaml`. The CLI writes to the folder of the
   * project (`stack init` adds a salt), so it gets a folder of its own whose parts are the checkout's. `configuration` stands
   * in for that file. If `source` is true, the SDK is as it is.
   */
  static async ofEnvironment(
    environment: string,
    { configuration, env = {}, source = false }: EnvironmentOptions = {},
  ): Promise<Stack> {
    const stack = await Stack.#make(environment);
    stack.environment({ ...(source ? { NODE_OPTIONS: "", LVS_PLAIN_JAVASCRIPT: "" } : {}), ...env });
    for (const part of ["clusters.js", "dist", "node_modules", "package.json"])
      await symlink(join(checkout, part), join(stack.#cwd, part));
    await cp(join(checkout, "Pulumi.yaml"), join(stack.#cwd, "Pulumi.yaml"));
    if (configuration !== undefined) await writeFile(stack.#configFile, configuration);
    else await cp(join(checkout, `Pulumi.${environment}.yaml`), stack.#configFile);
    return stack.#begin();
  }

  /** A program that a user might write, with the package installed; hosts are the lab's unless `env` says more. */
  static async ofProgram(source: string, env: Record<string, string> = {}, name = "program"): Promise<Stack> {
    const stack = await Stack.#make(name);
    stack.environment(env);
    const modules = join(stack.#cwd, "node_modules");
    await mkdir(modules);
    await symlink(checkout, join(modules, "pulumi-lvs"));
    await symlink(join(checkout, "node_modules", "@pulumi"), join(modules, "@pulumi"));
    const runtime = "runtime: { name: nodejs, options: { typescript: false } }";
    await writeFile(join(stack.#cwd, "Pulumi.yaml"), `name: test\n${runtime}\nmain: index.js\n`);
    await writeFile(
      join(stack.#cwd, "package.json"),
      '{ "name": "test", "private": true, "main": "index.js" }\n',
    );
    await stack.program(source);
    return stack.#begin();
  }

  /** The same stack from another computer: a copy of the project's folder, and an environment of its own. */
  async elsewhere(env: Record<string, string>): Promise<Stack> {
    const other = await Stack.#make(this.#name);
    await cp(this.#cwd, other.#cwd, { recursive: true, verbatimSymlinks: true });
    other.#env = { ...this.#env, ...env };
    await other.#must(["stack", "select"]);
    return other;
  }

  static async #make(name: string): Promise<Stack> {
    const place = await mkdtemp(join(tmpdir(), "lvs-stack-"));
    for (const folder of ["state", "project"]) await mkdir(join(place, folder));
    return new Stack(name, join(place, "project"), place, await keyServiceEnv());
  }

  /** Where the file backend keeps what it knows. */
  get state(): string {
    return join(this.#place, "state");
  }

  get #configFile(): string {
    return join(this.#cwd, `Pulumi.${this.#name}.yaml`);
  }

  async #begin(): Promise<Stack> {
    const provider =
      this.#env.PULUMI_CONFIG_PASSPHRASE === noPassphrase ? ["--secrets-provider", keyService] : [];
    const { code, text } = await this.pulumi("stack", "init", this.#name, ...provider);
    if (code !== 0) throw new Error(text);
    return this;
  }

  /** Writes the program anew. */
  async program(source: string): Promise<void> {
    const head = 'const pulumi = require("@pulumi/pulumi");\nconst lvs = require("pulumi-lvs");\n';
    await writeFile(join(this.#cwd, "index.js"), head + source);
  }

  /** Changes the configuration by replacing one text, which must be there. */
  async edit(from: string, to: string): Promise<void> {
    const text = await readFile(this.#configFile, "utf8");
    if (!text.includes(from)) throw new Error(`${from} is not in the configuration`);
    await writeFile(this.#configFile, text.replace(from, to));
  }

  /** Sets environment variables of the CLI from now on. */
  environment(env: Record<string, string>): void {
    this.#env = { ...this.#env, ...env };
  }

  /** Folder of the project. */
  get folder(): string {
    return this.#cwd;
  }

  /** Environment of the CLI. */
  get env(): Record<string, string> {
    return this.#env;
  }

  pulumi(...args: string[]): Promise<Answer> {
    const stack = args[1] === "init" ? [] : ["--stack", this.#name];
    return this.run("pulumi", [...args, ...stack, "--non-interactive", "--color", "never"]);
  }

  /** Runs a program where `pulumi` would be run. */
  run(program: string, args: string[], begun?: (child: ChildProcess) => void): Promise<Answer> {
    return new Promise((resolve) => {
      const child = execFile(
        program,
        args,
        { cwd: this.#cwd, env: { ...process.env, ...this.#env }, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) =>
          resolve({ code: error ? Number(error.code ?? 1) : 0, text: stdout + stderr }),
      );
      begun?.(child);
    });
  }

  /** `npx pulumi-lvs`, as it was built, for this stack. Without its name the command would start one more of the CLI. */
  pulumiLvs([command = "", ...args]: string[], begun?: (child: ChildProcess) => void): Promise<Answer> {
    const stack = args.includes("--stack") ? [] : ["--stack", this.#name];
    return this.run(process.execPath, [cli, command, ...stack, ...args], begun);
  }

  /** The same for the selected stack, and for `forget`, which takes no stack. */
  pulumiLvsOfSelected(...args: string[]): Promise<Answer> {
    return this.run(process.execPath, [cli, ...args]);
  }

  async #must(args: string[]): Promise<string> {
    const { code, text } = await this.pulumi(...args);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${code}:\n${text}`);
    return text;
  }

  /** Each of these throws what the CLI printed when it fails. */
  up = (...flags: string[]) => this.#must(["up", "--yes", "--skip-preview", ...flags]);
  preview = (...flags: string[]) => this.#must(["preview", ...flags]);
  refresh = (...flags: string[]) => this.#must(["refresh", "--yes", "--skip-preview", ...flags]);
  destroy = (...flags: string[]) => this.#must(["destroy", "--yes", "--skip-preview", ...flags]);

  async resources(): Promise<StateResource[]> {
    const text = await this.#must(["stack", "export"]);
    return (JSON.parse(text) as { deployment: { resources?: StateResource[] } }).deployment.resources ?? [];
  }

  /** Forgets the stack; what it made on hosts is the lab's to reset. */
  async dispose(): Promise<void> {
    await rm(this.#place, { recursive: true, force: true });
  }
}
