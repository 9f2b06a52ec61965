import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { Host } from "../../../src/host/host.js";
import { RemoteShell, type Shell } from "../../../src/host/remote-shell.js";
import { lockFile } from "../../../src/shell/lock.js";
import { openingText } from "../../../src/shell/opening.js";
import { realHost } from "../../../src/shell/surroundings.js";
import type { ShellStream } from "../../../src/ssh/shell-stream.js";
import { sendSignal } from "../send-signal.mts";
import { type CountedKind, countedKinds, faultFunctions } from "./faults.js";
import { straying } from "./paths.js";
import { allPresent, posixShells, type ShellProgram } from "./shells.js";
import {
  fakeBin,
  findProgram,
  type Image,
  imageOf,
  makeTree,
  putImage,
  restoreTools,
  snapshot,
  writeInto,
} from "./tree.js";

export type { ShellProgram } from "./shells.js";

/** The shells that hosts have; all of them are here. */
export const shells: readonly ShellProgram[] = allPresent(posixShells);

/**
 * A host on a private directory tree: it runs the very scripts that a real one would get, with a real `sh`, on tools that
 * keep their state in files. Everything it holds can be read and changed while a client talks to it.
 */
export class FakeHost {
  readonly root = makeTree();
  /** The host as the package sees it. */
  host: Host;
  /** Shells that were opened. */
  shells = 0;
  /** Scripts as they arrived. */
  readonly scripts: string[] = [];
  /** What a profile has put into the shell's environment. */
  environment: Record<string, string> = {};
  /** Seconds that a script waits for the lock. */
  lockSeconds = 5;
  /** Seconds after which a restore that failed is given up. */
  giveUpSeconds = 3600;
  /** Characters of the next script that arrive before the connection is cut. */
  cutAfter: number | undefined;
  /** The connection is cut at a script yet to come, counted from 0: after so many of its characters, or before its answer. */
  cut: { script: number; after: number | "work" } | undefined;
  readonly #program: ShellProgram;
  readonly #open: { child: ChildProcess; hangUp: (signal?: NodeJS.Signals) => void; quiet: Promise<void> }[] =
    [];

  readonly #newHost: () => Host;

  constructor({
    shell = ["sh"],
    label = "director1",
    limit,
    recent,
  }: { shell?: ShellProgram; label?: string; limit?: number; recent?: number } = {}) {
    this.#program = shell;
    this.#newHost = () => new Host(label, () => this.open(label), { limit, recent });
    this.host = this.#newHost();
  }

  /** Another run of the package, which knows nothing of what the last one read; the last one's connection is closed. */
  async newRun(): Promise<void> {
    this.host.close();
    this.host = this.#newHost();
    await this.quiet();
    this.#open.length = 0;
    this.scripts.length = 0;
    this.shells = 0;
    this.cut = undefined;
  }

  open(label = "director1"): Promise<Shell> {
    return RemoteShell.open(label, this.stream(), this.#opening());
  }

  /** What connections get before their first script: this tree instead of a machine, short waits, and functions for faults. */
  #opening(): string {
    const surroundings = {
      ...realHost,
      ROOT: this.root,
      PATH: join(this.root, "tools"),
      LOCK_TRIES: Math.ceil(this.lockSeconds * 5),
      ROUND_SECONDS: 0.01,
      OVERDUE_SECONDS: 1,
      RETRY_SECONDS: 0.01,
      GIVE_UP_SECONDS: this.giveUpSeconds,
      WATCH_ROUNDS: 1,
      POLL_SECONDS: 0.01,
    };
    return openingText(surroundings, faultFunctions);
  }

  #spawn() {
    const [program = "sh", ...args] = this.#program;
    const child = spawn(findProgram(program) as string, args, {
      cwd: this.root,
      detached: true,
      env: {
        ...this.environment,
        PATH: join(this.root, "tools"),
        LVS_FAKE_ROOT: this.root,
        LVS_FAKE_BIN: fakeBin,
      },
      argv0: program,
      // whatever the shell starts inherits the fourth: it ends when the last of them has
      stdio: ["pipe", "pipe", "pipe", "pipe"],
    });
    const [input, output, errors, life] = child.stdio as unknown as [Writable, Readable, Readable, Readable];
    output.setEncoding("latin1");
    errors.setEncoding("utf8");
    input.on("error", () => undefined);
    const quiet = new Promise<void>((resolve) => life.resume().on("close", () => resolve()));
    return { child, input, output, errors, quiet };
  }

  /** A shell's standard streams, as SSH would carry them. */
  stream(): ShellStream {
    this.shells++;
    const { child, input, output, errors, quiet } = this.#spawn();
    const listeners: (() => void)[] = [];
    let closed = false;
    let silent = false;
    const close = () => {
      if (closed) return;
      closed = true;
      input.end();
      output.destroy();
      errors.destroy();
      for (const listener of listeners) listener();
    };
    const hangUp = (signal?: NodeJS.Signals) => {
      if (signal && child.pid && child.exitCode === null) sendSignal(-child.pid, signal);
      close();
    };
    output.on("close", close);
    this.#open.push({ child, hangUp, quiet });
    let pending = "";
    return {
      write: (text) => {
        if (closed) return;
        pending += text;
        const opening = [openingText(), this.#opening()].find((one) => pending.startsWith(one)) ?? "";
        // over SSH comes what a real host gets, in pieces
        if (opening === "" && openingText().startsWith(pending)) return;
        const script = pending.slice(opening.length);
        pending = "";
        if (opening !== "") input.write(this.#opening());
        if (script === "") return;
        const cut = this.cut?.script === this.scripts.length ? this.cut.after : undefined;
        this.scripts.push(script);
        const [path] = straying(script, this.root);
        if (path !== undefined) throw new Error(`the fake host has no ${path}`);
        if (typeof cut === "number") this.cutAfter = cut;
        if (cut === "work") silent = true;
        input.write(script.slice(0, this.cutAfter));
        if (this.cutAfter === undefined) return;
        this.cutAfter = undefined;
        close();
      },
      onOutput: (listener) =>
        void output.on("data", (text: string) => {
          if (!silent) listener(text);
          else if (/^lvs-\S+ done$/m.test(text)) close();
        }),
      onErrors: (listener) => void errors.on("data", listener),
      onClose: (listener) => void listeners.push(listener),
      close,
    };
  }

  /** Sends part of a script by a shell of its own, which then has no more input, and waits until all is quiet there. */
  async cutStream(script: string, characters: number): Promise<void> {
    this.cutAfter = characters;
    this.stream().write(this.#opening() + script);
    await this.#open.pop()?.quiet;
  }

  /** Sends a part of what comes before a first script, and waits in the same way. */
  async cutOpening(part: number): Promise<void> {
    const opening = this.#opening();
    const { input, quiet } = this.#spawn();
    input.end(opening.slice(0, Math.floor((opening.length - 3) * part)));
    await quiet;
  }

  /** Cuts every connection, as a dying link does: the shell hears SIGHUP, its input ends, its output is broken. */
  hangUp(): void {
    for (const { hangUp } of this.#open) hangUp("SIGHUP");
  }

  /** The machine goes down in the middle of whatever it does, and comes up as the image has it, but for /etc, which stays, and keepalived, if it is enabled. */
  async reboot(image: Image): Promise<void> {
    for (const { hangUp } of this.#open) hangUp("SIGKILL");
    await this.quiet();
    const kept = ([name]: [string, unknown]) => /^etc(\/|$)/.test(name);
    putImage(
      this.root,
      Object.fromEntries([
        ...Object.entries(image).filter((one) => !kept(one)),
        ...Object.entries(this.image()).filter(kept),
      ]),
    );
    const isEnabled = this.has("etc/systemd/system/multi-user.target.wants/keepalived.service");
    if (!isEnabled || !this.has("etc/keepalived/keepalived.conf")) return;
    this.write("run/keepalived.pid", "712\n");
    this.write("run/vrrp.pid", "713\n");
  }

  /** What systemd does at boot with what is enabled; returns what was complained of. */
  async start(unit = "pulumi-lvs"): Promise<string> {
    if (!this.has(`etc/systemd/system/multi-user.target.wants/${unit}.service`)) return "";
    if (!this.has("etc/pulumi-lvs/boot")) return "";
    const [, file = ""] =
      /^ExecStart=\/bin\/sh (.*)$/m.exec(this.read(`etc/systemd/system/${unit}.service`)) ?? [];
    return this.#complaintsOf(`. '${this.root}${file}'\n`);
  }

  /** What systemd does after the unit has stopped; returns what was complained of. */
  async stop(): Promise<string> {
    const [, text = ""] =
      /^ExecStopPost=-\/bin\/sh -c '([^']*)'$/m.exec(this.read("etc/systemd/system/pulumi-lvs.service")) ??
      [];
    return this.#complaintsOf(
      `${text.replaceAll("\\\n", " ").replaceAll("$$", "$").replaceAll("/etc/", `${this.root}/etc/`)}\n`,
    );
  }

  async #complaintsOf(text: string): Promise<string> {
    const { input, errors, quiet } = this.#spawn();
    let complaints = "";
    errors.on("data", (text: string) => {
      complaints += text;
    });
    input.end(text);
    await quiet;
    return complaints;
  }

  /** Resolves when nothing that was started on the host runs any more. */
  async quiet(): Promise<void> {
    await Promise.all(this.#open.map(({ quiet }) => quiet));
  }

  /** Scripts that were run, without the greetings of shells. */
  get runs(): number {
    return this.scripts.length - this.shells;
  }

  read(name: string): string {
    return readFileSync(join(this.root, name), "utf8");
  }

  has(name: string): boolean {
    return existsSync(join(this.root, name));
  }

  write(name: string, text: string): void {
    writeInto(this.root, name, text);
  }

  /** A process that runs there, by the name the kernel has of it; its real and its effective user are root unless told otherwise. */
  runProcess(pid: number, name: string, real = 0, effective = real, parent = 1): void {
    this.write(`proc/${pid}/comm`, `${name}\n`);
    this.write(
      `proc/${pid}/status`,
      `Name:\t${name}\nPid:\t${pid}\nPPid:\t${parent}\nUid:\t${real}\t${effective}\t${effective}\t${effective}\nGid:\t0\t0\t0\t0\n`,
    );
  }

  remove(name: string): void {
    rmSync(join(this.root, name), { recursive: true, force: true });
  }

  /** Lines of a state file: `ipvs`, `addresses`, `routes`, `log`. */
  lines(name: string): string[] {
    return this.read(name).split("\n").filter(Boolean);
  }

  /** The owners in the ledger, each before its thing. */
  owners(): string[] {
    return ["etc/pulumi-lvs/boot", "run/pulumi-lvs/boot"]
      .filter((name) => this.has(name))
      .flatMap((name) => this.lines(name))
      .map((line) => line.split("\t"))
      .map(([, , thing, owner]) => `${owner} ${thing}`);
  }

  /** What a sysctl holds. */
  sysctl(path: string): string {
    return this.read(`proc/sys/${path}`).trim();
  }

  /** Commands that tools were called with, but for those that only look. */
  changes(): string[] {
    return this.lines("log").filter(
      (line) =>
        !/^(ipvsadm (-Sn|-Ln|--restore)|ip -j|ip (-[46] )?-o|ip -N route show|systemctl|modprobe --show)/.test(
          line,
        ),
    );
  }

  snapshot(): string {
    return snapshot(this.root);
  }

  image(): Image {
    return imageOf(this.root);
  }

  restore(image: Image): void {
    putImage(this.root, image);
  }

  /** Makes the host one whose ip_vs and schedulers are modules that are not loaded yet. */
  withModules(): this {
    this.remove("sys/module/ip_vs");
    this.remove("proc/net/ip_vs");
    this.remove("proc/sys/net/ipv4/vs");
    this.write("schedulers", "");
    return this;
  }

  /** The n-th command of a kind from now on, counted from 0, fails: a `step`, or an `undo` of one. */
  failCommand(kind: CountedKind, n: number): void {
    this.arm(`fail.${kind}.${n}`);
  }

  /** The n-th step from now on waits; resolves the returned functions when it is reached, and lets it go on. */
  pauseStep(n: number): { reached: () => Promise<void>; go: () => void } {
    return this.pauseCommand("step", n);
  }

  pauseCommand(kind: CountedKind, n: number): { reached: () => Promise<void>; go: () => void } {
    this.arm(`pause.${kind}.${n}`);
    return {
      reached: () => until(() => this.has("faults/reached")),
      go: () => this.write("faults/go", ""),
    };
  }

  /** A tool is gone before the n-th command of a kind begins. */
  takeTool(name: string, kind: CountedKind, n: number): void {
    this.arm(`vanish.${kind}.${n}`, `${name}\n`);
  }

  /** From the n-th command of a kind on, nothing more can be written to /run. */
  fillRun(kind: CountedKind, n: number): void {
    this.arm(`fill.${kind}.${n}`);
  }

  /** The kernel refuses the n-th line, counted from 1, that `ipvsadm -R` reads, and the same command ever after. */
  refuseLine(n: number): void {
    this.arm("refuse", `${n}\n`);
  }

  /** How many commands of a kind there were since counting began: when a fault was armed, or here. */
  counted(kind: CountedKind): number {
    return this.has(`faults/count.${kind}`) ? Number(this.read(`faults/count.${kind}`)) : 0;
  }

  countCommands(): void {
    this.arm(".none");
  }

  /** Ends every fault. */
  mend(): void {
    this.remove("faults");
    this.write("faults/.none", "");
    restoreTools(this.root);
  }

  withoutTool(name: string): void {
    this.remove(`tools/${name}`);
  }

  /** Holds the host's lock as another run would; the returned function lets go. */
  async holdLock(mode: "-x" | "-s" = "-x"): Promise<() => Promise<void>> {
    const child = spawn("flock", [mode, join(this.root, lockFile), "sh", "-c", "echo held; exec cat"], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    return () =>
      new Promise((resolve) => {
        child.once("exit", () => resolve());
        child.stdin.end();
      });
  }

  private arm(fault: string, text = ""): void {
    for (const kind of countedKinds) this.remove(`faults/count.${kind}`);
    this.write("faults/armed", "");
    this.write(`faults/${fault}`, text);
  }

  async dispose(): Promise<void> {
    this.host.close();
    this.write("faults/go", "");
    for (const { hangUp } of this.#open) hangUp("SIGHUP");
    await this.quiet();
    rmSync(this.root, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

/** Waits until something holds, for at most three minutes. */
export async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 180_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`it did not come to pass within three minutes: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
