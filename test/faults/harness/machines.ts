import { createHash } from "node:crypto";
import { Engine } from "../../../providers/engine/engine.js";
import { type Made, verbsOf } from "../../../providers/provider.js";
import { FakeClock } from "../../support/fake/fake-clock.js";
import { FakeHost } from "../../support/fake/fake-host.js";
import { type CountedKind, countedKinds } from "../../support/fake/faults.js";
import type { Image } from "../../support/fake/tree.js";
import { definitionOf } from "./program.js";
import type { Answer, Call, Pure } from "./pulumi.js";

export const machines = ["director", "rs1", "rs2"] as const;
export type Machine = (typeof machines)[number];
export type Images = Readonly<Record<Machine, Image>>;

export const each = <T>(value: (machine: Machine) => T): Record<Machine, T> => ({
  director: value("director"),
  rs1: value("rs1"),
  rs2: value("rs2"),
});

const addresses: Record<Machine, [string, string]> = {
  director: ["192.168.0.5", "192.168.10.10"],
  rs1: ["192.168.0.221", "192.168.10.11"],
  rs2: ["192.168.0.222", "192.168.10.12"],
};

/** Machines as they are after booting. */
export const booted: Images = each((machine) => {
  const fake = new FakeHost({ label: machine });
  if (machine === "director") fake.withModules();
  // as long as that server is there, a client is connected to it
  fake.write("connections", "192.168.0.210:80 192.168.0.221:80 0 1 0\n");
  const [outside, inside] = addresses[machine];
  fake.write(
    "addresses",
    `lo 127.0.0.1/8 - - -\neth0 ${outside}/24 192.168.0.255 - -\neth1 ${inside}/24 192.168.10.255 - -\n`,
  );
  const image = fake.image();
  void fake.dispose();
  return image;
});

/** Calls that begin together on one machine. */
export interface Batch {
  readonly machine: Machine;
  readonly image: Image;
  readonly calls: readonly Call[];
  /** What the run has made there before. */
  readonly made: Made;
}

/** What came of them. */
export interface Done {
  readonly image: Image;
  readonly answers: readonly Answer[];
  readonly made: Made;
  /** Scripts as they arrived, the shell's greeting first. */
  readonly scripts: readonly string[];
  readonly commands: Readonly<Record<CountedKind, number>>;
  /** Lines that `ipvsadm -R` was given. */
  readonly lines: number;
  /** Commands that change, as the tools heard them. */
  readonly changes: readonly string[];
}

/** Sends a signal to Pulumi's engine. */
export type SignalEngine = (signal: "SIGINT" | "SIGTERM" | "SIGKILL") => void;

/** What goes wrong while a batch runs. */
export interface Mishap {
  /** Before anything begins. */
  arm?(fake: FakeHost): void | Promise<void>;
  /** While the calls are under way. */
  meanwhile?(fake: FakeHost, signal: SignalEngine): Promise<void>;
}

// what a signal does here is in the answers that the model of Pulumi takes in
const noEngine: SignalEngine = () => undefined;

const pool = new Map<Machine, FakeHost[]>();
let free = 3;
const queue: (() => void)[] = [];

async function turn<T>(work: () => Promise<T>): Promise<T> {
  if (free > 0) free--;
  else await new Promise<void>((resolve) => queue.push(resolve));
  try {
    return await work();
  } finally {
    const next = queue.shift();
    if (next) next();
    else free++;
  }
}

/** Ends every fake machine of this process. */
export async function tearDown(): Promise<void> {
  for (const fakes of pool.values()) for (const fake of fakes.splice(0)) await fake.dispose();
}

/** The pure parts of the package's own provider. */
export const pure: Pure = {
  check(kind, inputs) {
    const { inputs: checked, failures } = engineOf(kind).check({}, inputs);
    if (failures[0]) throw new Error(`${failures[0].property}: ${failures[0].reason}`);
    return checked;
  },
  diff: (kind, old, inputs) => engineOf(kind).diff(old.id, old.outputs, inputs),
};

const noHost = () => {
  throw new Error("check and diff reach no host");
};
const engineOf = (kind: string) => new Engine(definitionOf(kind), noHost);

/** Runs a batch by the real engine and the real scripts, in a process that has just begun, on a machine as the image has it. */
export function run({ machine, image, calls, made }: Batch, mishap: Mishap = {}): Promise<Done> {
  return turn(async () => {
    const fake = pool.get(machine)?.pop() ?? new FakeHost({ label: machine });
    fake.restore(image);
    fake.mend();
    fake.write("log", "");
    fake.countCommands();
    await mishap.arm?.(fake);
    const makes: Made = new Map(made);
    const answering = Promise.all(calls.map((call) => perform(call, fake, makes)));
    await mishap.meanwhile?.(fake, noEngine);
    const answers = await answering;
    fake.host.close();
    await fake.quiet();
    const done = {
      image: fake.image(),
      answers,
      made: makes,
      scripts: [...fake.scripts],
      commands: Object.fromEntries(
        countedKinds.map((kind) => [kind, fake.counted(kind)]),
      ) as Done["commands"],
      lines: fake.scripts.reduce((sum, script) => sum + bulkLines(script), 0),
      changes: fake.changes(),
    };
    await fake.newRun();
    pool.set(machine, [...(pool.get(machine) ?? []), fake]);
    return done;
  });
}

/** Returns how many lines a script gives to `ipvsadm -R`. */
export const bulkLines = (script: string): number => {
  const [, end, rest = ""] = /bulk <<'([^']+)'.*\n([\s\S]*)/.exec(script) ?? [];
  return end === undefined ? 0 : rest.split("\n").indexOf(end);
};

/** Asks the real engine for one call. */
export async function perform(call: Call, fake: FakeHost, made: Made): Promise<Answer> {
  const verbs = verbsOf(new Engine(definitionOf(call.kind), () => fake.host, new FakeClock()), made);
  try {
    switch (call.verb) {
      case "create":
        return { ok: await verbs.create(call.inputs) };
      case "update":
        return { ok: await verbs.update(call.old.id, call.old.outputs, call.inputs) };
      case "read":
        return { ok: await verbs.read(call.old.id, call.old.outputs) };
      case "delete":
        await verbs.delete(call.old.id, call.old.outputs);
        return { ok: {} };
    }
  } catch (error) {
    return { error };
  }
}

const known = new Map<string, Promise<Done>>();

// an image is a hundred files, and is asked for again and again
const digests = new WeakMap<Image, string>();
const digestOf = (image: Image): string => {
  const digest = digests.get(image) ?? createHash("sha256").update(JSON.stringify(image)).digest("hex");
  digests.set(image, digest);
  return digest;
};

/** The same, but what was run once is not run again: the same machine asked for the same does the same. */
export function remembered(batch: Batch): Promise<Done> {
  const { machine, image, calls, made } = batch;
  const key = JSON.stringify([machine, digestOf(image), calls, [...made].sort()]);
  const done = known.get(key) ?? run(batch);
  known.set(key, done);
  return done;
}
