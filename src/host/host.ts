import { lockFailure, readingTimedOut, unexpectedOutput, withoutToken } from "../errors.js";
import type { Section } from "../facts/facts.js";
import { isTracing, log } from "../log.js";
import type { Connection } from "../ssh/connection.js";
import { serve, type Waiting } from "./batch.js";
import { Gathering } from "./gathering.js";
import type { Done, Job } from "./job.js";
import { KnownFacts } from "./known-facts.js";
import { RemoteShell, type Shell } from "./remote-shell.js";
import { parseReport, type Report } from "./report.js";
import { endScript, lockSeconds, type Query, queryScript } from "./script.js";
import { Trace } from "./trace.js";

/** Seconds that a script may run on a host, by default, and the seconds for its undo commands after that. */
const defaultLimit = 120;
const grace = 30;

/** Milliseconds for which facts are recent: see Job. The readings of a refresh come one by one, some milliseconds apart. */
const recent = 500;

interface Limits {
  readonly limit?: number | undefined;
  readonly recent?: number | undefined;
}

/**
 * One host, with a queue whose waiting jobs run together. One script reads the facts of all of them. The
 * steps of each are a transaction of their own in one script, which also reads the facts back. The next batch
 * plans from those: the host refuses a plan from old facts, and it is made again.
 */
export class Host {
  readonly #label: string;
  readonly #open: () => Promise<Shell>;
  readonly #limit: number;
  readonly #recent: number;
  #shell: Promise<Shell> | undefined;
  #waiting: Waiting[] = [];
  #queries: (() => Promise<void>)[] = [];
  #busy = false;
  readonly #gathering = new Gathering();
  readonly #known = new KnownFacts();
  /** Number of scripts that have run. */
  scripts = 0;

  /**
   * `limit` is the number of seconds that a script may run on the host, and `recent` the milliseconds for which facts are
   * recent.
   */
  constructor(label: string, open: () => Promise<Shell>, { limit = defaultLimit, recent = 0 }: Limits = {}) {
    this.#label = label;
    this.#open = open;
    this.#limit = limit;
    this.#recent = recent;
  }

  async submit<Notes>(job: Job<Notes>): Promise<Done<Notes>> {
    return (job.mayBeRecent && this.#answered(job)) || this.#queued(job);
  }

  /** Returns the answer of a reading from recent facts, or undefined if there are none, or if they are no answer. */
  #answered<Notes>({ facts: names, plan }: Job<Notes>): Done<Notes> | undefined {
    if (!this.#known.areRecent(names, this.#recent) || !this.#known.hasAll(names)) return undefined;
    const facts = this.#known.facts(names);
    try {
      return { facts, notes: plan(facts).notes };
    } catch {
      return undefined;
    }
  }

  #queued<Notes>(job: Job<Notes>): Promise<Done<Notes>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve: (done) => resolve(done as Done<Notes>), reject });
      this.#gathering.came();
      if (!this.#busy) void this.#drain();
    });
  }

  /**
   * Runs queries, which call `functions`, and returns the output of each by its name. Waiting changes run
   * first.
   */
  query(functions: string, queries: ReadonlyMap<string, Query>): Promise<ReadonlyMap<string, Section>> {
    return new Promise((resolve, reject) => {
      this.#queries.push(() => this.#runQueries(functions, queries).then(resolve, reject));
      if (!this.#busy) void this.#drain();
    });
  }

  async #runQueries(functions: string, queries: ReadonlyMap<string, Query>) {
    const report = await this.#run((nonce) => queryScript(nonce, functions, queries)).catch((error) => {
      throw withoutToken(error);
    });
    if (report.timedOut) throw readingTimedOut(this.#label, this.#limit);
    return report.sections as ReadonlyMap<string, Section>;
  }

  close(): void {
    const shell = this.#shell;
    this.#shell = undefined;
    shell?.then((s) => s.close()).catch(() => undefined);
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0 || this.#queries.length > 0) {
      if (this.#waiting.length === 0) {
        await this.#queries.shift()?.();
        continue;
      }
      // More jobs come while the connection is made.
      const failure = this.#connected().then(
        () => undefined,
        (error) => withoutToken(error),
      );
      await this.#gathering.complete(() => this.#waiting.length);
      const unreached = await failure;
      const batch = this.#waiting;
      this.#waiting = [];
      this.#gathering.begin();
      try {
        if (unreached !== undefined) throw unreached;
        await serve(this.#label, this.#limit, this.#known, (script) => this.#run(script), batch);
      } catch (error) {
        this.#known.clear();
        for (const { reject } of batch) reject(error as Error);
      }
      this.#gathering.end(batch.length);
    }
    this.#busy = false;
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
    const trace = isTracing() ? new Trace() : undefined;
    let output: string;
    let timer: NodeJS.Timeout | undefined;
    const end = (pid: number) => {
      // Ends the script again if its undo commands hang, too. An earlier second signal would kill undo
      // commands that are only slow.
      timer = setTimeout(() => end(pid), grace * 700);
      void this.#end(pid);
    };
    try {
      output = await shell.run(make, {
        seconds: lockSeconds + this.#limit + grace,
        onBegun: (pid) => {
          timer = setTimeout(() => end(pid), this.#limit * 1000);
        },
        trace,
      });
      const took = Math.round(performance.now() - begun);
      log(() => `${this.#label}: script ${this.scripts} in ${took} ms${trace ? `: ${trace}` : ""}`);
    } catch (error) {
      this.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    let report: Report;
    try {
      report = parseReport(used, output);
    } catch (error) {
      this.close();
      throw unexpectedOutput(this.#label, (error as Error).message);
    }
    if (report.locked !== undefined) {
      throw lockFailure(this.#label, report.locked, lockSeconds);
    }
    return report;
  }

  /** Ends the current script of the host through a separate connection. */
  async #end(pid: number): Promise<void> {
    log(() => `${this.#label}: the script timed out after ${this.#limit} s, and is stopped`);
    try {
      const shell = await this.#open();
      await shell.run((nonce) => endScript(nonce, pid)).finally(() => shell.close());
    } catch (error) {
      log(() => `${this.#label}: it could not be stopped: ${(error as Error).message}`);
    }
  }

  async #connected(): Promise<Shell> {
    // A connection that was closed while idle is no error.
    if ((await this.#shell?.catch(() => undefined))?.closed) this.#shell = undefined;
    this.#shell ??= this.#open().catch((error) => {
      this.#shell = undefined;
      throw error;
    });
    return this.#shell;
  }
}

const hosts = new Map<string, Host>();

/**
 * Returns the host of a connection. There is one for each process, so that all callers share a connection and
 * a queue.
 */
export function hostOf(connection: Connection, label: string): Host {
  const key = JSON.stringify(Object.entries(connection).sort());
  const known = hosts.get(key);
  if (known) return known;
  const open = async () => {
    // A preview reaches no host, and the SSH client is half of what a provider loads.
    const { openShell } = await import("../ssh/open-shell.js");
    return RemoteShell.open(label, await openShell(connection));
  };
  const host = new Host(label, open, { limit: connection.operationTimeout, recent });
  hosts.set(key, host);
  return host;
}
