import { lateReading, lockFailure, plainly, UnansweredError } from "../errors.js";
import type { FactName, Facts, Section } from "../facts/facts.js";
import { log } from "../log.js";
import type { Connection } from "../ssh/connection.js";
import { openShell } from "../ssh/open-shell.js";
import { serve } from "./batch.js";
import type { Job, Waiting } from "./job.js";
import { RemoteShell, type Shell } from "./remote-shell.js";
import { parseReport, type Report } from "./report.js";
import { askScript, endScript, lockSeconds, type Query } from "./script.js";

/** Seconds that a script may work on a host, where the connection does not say; and more, for what it takes back then. */
const defaultLimit = 120;
const grace = 30;

/** Milliseconds without a newcomer after which the waiting jobs go, and after which they go anyway. */
const gatherPause = 25;
const gatherLimit = 200;

/**
 * One host: a queue whose waiting jobs go together. Facts are read once for all of them, the steps of each are a transaction
 * of its own in one script, and the same script reads back. What it read serves the next batch too: the script compares
 * before it acts, so a plan made from old facts is refused by the host and made again.
 */
export class Host {
  readonly #label: string;
  readonly #open: () => Promise<Shell>;
  readonly #limit: number;
  #shell: Promise<Shell> | undefined;
  #waiting: Waiting[] = [];
  #asking: (() => Promise<void>)[] = [];
  #busy = false;
  #newest = 0;
  #known = new Map<FactName, Section>();
  /** Scripts run so far. */
  scripts = 0;

  /** `limit`: seconds that a script may work there. */
  constructor(label: string, open: () => Promise<Shell>, limit = defaultLimit) {
    this.#label = label;
    this.#open = open;
    this.#limit = limit;
  }

  submit(job: Job): Promise<Facts> {
    return new Promise((resolve, reject) => {
      this.#newest = performance.now();
      this.#waiting.push({ job, resolve, reject });
      if (!this.#busy) void this.#drain();
    });
  }

  /** What queries print, each by its name; `functions` are those that they call. Changes that wait go first. */
  ask(functions: string, queries: ReadonlyMap<string, Query>): Promise<ReadonlyMap<string, Section>> {
    return new Promise((resolve, reject) => {
      this.#asking.push(() => this.#asked(functions, queries).then(resolve, reject));
      if (!this.#busy) void this.#drain();
    });
  }

  async #asked(functions: string, queries: ReadonlyMap<string, Query>) {
    const report = await this.#run((nonce) => askScript(nonce, functions, queries)).catch((error) => {
      throw plainly(error);
    });
    if (report.late) throw lateReading(this.#label);
    return report.sections as ReadonlyMap<string, Section>;
  }

  close(): void {
    const shell = this.#shell;
    this.#shell = undefined;
    shell?.then((s) => s.close()).catch(() => undefined);
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0 || this.#asking.length > 0) {
      if (this.#waiting.length === 0) {
        await this.#asking.shift()?.();
        continue;
      }
      await this.#gathered();
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await serve(this.#label, this.#known, (script) => this.#run(script), batch);
      } catch (error) {
        this.#known.clear();
        for (const { reject } of batch) reject(error as Error);
      }
    }
    this.#busy = false;
  }

  // Pulumi's engine sends what may run side by side one by one, writing its checkpoint in between
  async #gathered(): Promise<void> {
    const limit = performance.now() + gatherLimit;
    for (;;) {
      const now = performance.now();
      const pause = Math.min(this.#newest + gatherPause, limit) - now;
      if (pause <= 0) return;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  async #run(script: (nonce: string) => string): Promise<Report> {
    let used = "";
    const make = (nonce: string) => {
      used = nonce;
      return script(nonce);
    };
    const shell = await this.#connected();
    this.scripts++;
    const begun = performance.now();
    let output: string;
    let patience: NodeJS.Timeout | undefined;
    const end = (pid: number) => {
      // once more, where taking back hangs too; sooner it would end what only takes its time
      patience = setTimeout(() => end(pid), grace * 700);
      void this.#end(pid);
    };
    try {
      output = await shell.run(make, {
        seconds: lockSeconds + this.#limit + grace,
        onBegun: (pid) => {
          patience = setTimeout(() => end(pid), this.#limit * 1000);
        },
      });
      log(() => `${this.#label}: script ${this.scripts} in ${Math.round(performance.now() - begun)} ms`);
    } catch (error) {
      this.close();
      throw error;
    } finally {
      clearTimeout(patience);
    }
    let report: Report;
    try {
      report = parseReport(used, output);
    } catch (error) {
      this.close();
      throw new UnansweredError(this.#label, `its answer makes no sense: ${(error as Error).message}`);
    }
    if (report.locked !== undefined) {
      throw lockFailure(this.#label, report.locked, lockSeconds);
    }
    return report;
  }

  /** Ends what a script does just now, by a connection of its own. */
  async #end(pid: number): Promise<void> {
    log(() => `${this.#label}: the script takes too long, and is ended`);
    try {
      const shell = await this.#open();
      await shell.run((nonce) => endScript(nonce, pid)).finally(() => shell.close());
    } catch (error) {
      log(() => `${this.#label}: it could not be ended: ${(error as Error).message}`);
    }
  }

  async #connected(): Promise<Shell> {
    // a connection that ended while nobody used it is nobody's trouble
    if ((await this.#shell?.catch(() => undefined))?.closed) this.#shell = undefined;
    this.#shell ??= this.#open().catch((error) => {
      this.#shell = undefined;
      throw error;
    });
    return this.#shell;
  }
}

const hosts = new Map<string, Host>();

/** The host of a connection: one per process, whoever asks, so that all its callers share a connection and a queue. */
export function hostOf(connection: Connection, label: string): Host {
  const key = JSON.stringify(Object.entries(connection).sort());
  const known = hosts.get(key);
  if (known) return known;
  const open = async () => RemoteShell.open(label, await openShell(connection));
  const host = new Host(label, open, connection.operationTimeout);
  hosts.set(key, host);
  return host;
}
