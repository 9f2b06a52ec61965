import { Engine } from "../../providers/engine/engine.js";
import { Program } from "../../providers/engine/program.js";
import { engines } from "../../providers/provider.js";
import type { FactName } from "../../src/facts/facts.js";
import { head } from "../../src/health/monitor.js";
import type { Done, Job } from "../../src/host/job.js";
import type { Step } from "../../src/host/step.js";
import type { Connection } from "../../src/ssh/connection.js";
import { DeclaredFacts } from "./declared-facts.js";
import { DeclaredHost } from "./declared-host.js";
import { apart, type Line, linesOf, releasedBy, type Undo, undoOf } from "./lines.js";

/** A host of a plan, in memory, and its facts. */
export interface PlannedHost {
  readonly host: DeclaredHost;
  readonly facts: DeclaredFacts;
  /** Why a fact could not be read from the real host. */
  readonly unread?: ReadonlyMap<FactName, string>;
}

/** What a plan reads from a host, and how to reach it. */
export interface Requested {
  readonly connection: Connection;
  readonly names: Set<FactName>;
}

/** The hosts of a plan, as the state declares them. */
export class PlannedHosts {
  protected readonly hosts = new Map<string, PlannedHost>();
  requested = new Map<string, Requested>();

  /** Returns a host that can answer these facts. */
  async answering(connection: Connection, label: string, names: readonly FactName[]): Promise<PlannedHost> {
    const requested = this.requested.get(label) ?? { connection, names: new Set() };
    for (const name of names) requested.names.add(name);
    this.requested.set(label, requested);
    return this.at(label);
  }

  at(label: string): PlannedHost {
    const host = new DeclaredHost();
    const at = this.hosts.get(label) ?? { host, facts: new DeclaredFacts(host) };
    this.hosts.set(label, at);
    return at;
  }

  /** The hosts have what the state declares. From now on the update is planned. */
  async declared(): Promise<void> {
    this.requested = new Map();
  }
}

/** The draft of the change that is being planned. */
interface Draft {
  lines: Line[];
  undo: Undo[];
  /** Whether a server drains. */
  waits: boolean;
  /** Why facts of the real host are missing. */
  unread: Set<string>;
}

/** Runs the engine of the resources on hosts that exist in memory only, and notes the lines. */
export class Planner {
  readonly #hosts: PlannedHosts;
  #draft: Draft = { lines: [], undo: [], waits: false, unread: new Set() };
  #secrets: readonly string[] = [];
  #now = 0;

  constructor(hosts: PlannedHosts) {
    this.#hosts = hosts;
  }

  /** Returns new engines by kind, all on the same hosts. Probes have none. */
  engines(): Map<string, Engine> {
    const time = {
      now: () => this.#now,
      // A wait in a plan takes no time.
      pause: async () => {
        this.#now += 1000;
      },
      print: () => undefined,
    };
    const find = (connection: Connection, label: string) => ({
      submit: <Notes>(job: Job<Notes>) => this.#submit(connection, label, job),
    });
    const program = new Program();
    return new Map(
      [...engines]
        .filter(([, { definition }]) => !definition.onlyQueries)
        .map(([kind, { definition }]) => [kind, new Engine(definition, find as never, time, program)]),
    );
  }

  async #submit<Notes>(connection: Connection, label: string, job: Job<Notes>): Promise<Done<Notes>> {
    const { host, facts, unread } = await this.#hosts.answering(connection, label, job.facts);
    for (const name of job.facts) if (unread?.has(name)) this.#draft.unread.add(unread.get(name) as string);
    const { steps, notes } = job.plan(facts);
    // The start of a drain reads the clock, and nothing else does.
    if (job.facts.includes("clock")) this.#draft.waits = true;
    const shown = steps.map((step) => masked(step, this.#secrets));
    const kept = new Set<Step>();
    for (const [i, step] of shown.entries()) {
      if ((host.claims.get(releasedBy(step) ?? "") ?? 0) > 1) kept.add(step);
      for (const { run } of apart(steps[i] as Step)) host.apply(run);
    }
    this.#draft.lines.push(...linesOf(shown, kept));
    this.#draft.undo.push(...undoOf(shown));
    return { facts, notes };
  }

  /** Runs an operation, and returns what it noted. No line shows these secrets. */
  async draft(
    run: () => Promise<unknown>,
    secrets: readonly string[] = [],
  ): Promise<Draft & { refused?: string }> {
    const draft: Draft = { lines: [], undo: [], waits: false, unread: new Set() };
    this.#draft = draft;
    this.#secrets = secrets;
    try {
      await run();
      return draft;
    } catch (error) {
      const { message } = error as Error;
      const isSecret = secrets.some((one) => message.includes(one));
      return { ...draft, refused: isSecret ? "the host has another value, which is secret" : message };
    }
  }
}

/** A short secret may be part of any word, such as a digit of an address. */
const short = 6;

/** Returns a step with a word in place of each secret, as the preview has it. */
function masked(step: Step, secrets: readonly string[]): Step {
  if (secrets.length === 0) return step;
  const word = (text: string): string =>
    secrets.reduce(
      (left, one) =>
        left === one ? "[secret]" : one.length < short ? left : left.replaceAll(one, "[secret]"),
      text,
    );
  const [run, undo] = [step.run.map(word), step.undo?.map(word) ?? null];
  return { run, undo: undo?.[0] === "put_monitor" ? hidden(undo, run) : undo };
}

/**
 * Returns the command that writes a monitor's file as the host has it, without values that the new file does not have.
 * A secret may be a short text, or part of a list.
 */
function hidden([name = "", file = "", text = ""]: readonly string[], run: readonly string[]): string[] {
  const clear = new Set([head, ...((run[0] === name && run[2]?.split("\n")) || [])]);
  const lines = text
    .split("\n")
    .map((line) =>
      clear.has(line) ? line : line.replace(/^(check\t[^\t]*\t\w+\t|\w+\t)?.*$/s, "$1[secret]"),
    );
  return [name, file, lines.join("\n")];
}
