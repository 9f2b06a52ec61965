import { type Job, serve, type Waiting } from "./batch.js";
import type { Connection } from "./connection.js";
import type { FactName, Facts, Section } from "./facts.js";
import { HostError, remedyFor } from "./host-error.js";
import { log } from "./log.js";
import { RemoteShell, type Shell } from "./remote-shell.js";
import { parseReport, type Report } from "./report.js";
import { lockSeconds } from "./script.js";
import { openShell } from "./ssh.js";

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
  #shell: Promise<Shell> | undefined;
  #waiting: Waiting[] = [];
  #busy = false;
  #newest = 0;
  #known = new Map<FactName, Section>();
  /** Scripts run so far. */
  scripts = 0;

  constructor(label: string, open: () => Promise<Shell>) {
    this.#label = label;
    this.#open = open;
  }

  submit(job: Job): Promise<Facts> {
    return new Promise((resolve, reject) => {
      this.#newest = performance.now();
      this.#waiting.push({ job, resolve, reject });
      if (!this.#busy) void this.#drain();
    });
  }

  close(): void {
    const shell = this.#shell;
    this.#shell = undefined;
    shell?.then((s) => s.close()).catch(() => undefined);
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
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
    try {
      output = await shell.run(make);
      log(() => `${this.#label}: script ${this.scripts} in ${Math.round(performance.now() - begun)} ms`);
    } catch (error) {
      this.close();
      throw error;
    }
    let report: Report;
    try {
      report = parseReport(used, output);
    } catch (error) {
      this.close();
      throw new HostError(this.#label, `its answer makes no sense: ${(error as Error).message}`);
    }
    if (report.locked !== undefined) {
      const why =
        report.locked === -127
          ? "flock: not found"
          : `another run has held the host's lock for ${lockSeconds} s`;
      throw new HostError(
        this.#label,
        why,
        report.locked === -127 ? remedyFor("flock: not found") : "wait until it has finished, then run again",
      );
    }
    return report;
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
  const host = new Host(label, async () => RemoteShell.open(label, await openShell(connection)));
  hosts.set(key, host);
  return host;
}
