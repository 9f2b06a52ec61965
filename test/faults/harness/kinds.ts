import type { FakeHost } from "../../support/fake/fake-host.js";
import type { CountedKind } from "../../support/fake/faults.js";
import { booted, type Machine, type Mishap, machines, type SignalEngine } from "./machines.js";
import type { Round } from "./update.js";

/** One fault at one place of an update. */
export interface Fault {
  readonly place: string;
  readonly round: Round;
  readonly machine: Machine;
  readonly mishap: Mishap;
  /** What is lost besides: the engine stops after this round, dies in it, or the machine's memory goes. */
  readonly with?: "interrupt" | "kill" | "reboot";
  /** What became of it only the next up learns: what was made meanwhile is not in state. */
  readonly unheard?: true;
  /** Nothing may have changed. */
  readonly nothing?: true;
  /** It counts only if something was undone. */
  readonly needsUndo?: true;
}

/** A kind of fault, and all the places where it can strike. */
export interface FaultKind {
  readonly title: string;
  places(rounds: readonly Round[]): Fault[];
}

interface Command {
  readonly round: Round;
  readonly machine: Machine;
  readonly kind: CountedKind;
  readonly n: number;
  readonly place: string;
}

const busy = (rounds: readonly Round[]) =>
  rounds.flatMap((round, i) =>
    machines.flatMap((machine) => {
      const done = round.done[machine];
      return done ? [{ round, machine, done, place: `round ${i}, ${machine}` }] : [];
    }),
  );

/** Every command of every script of an update. */
export const commandsOf = (rounds: readonly Round[]): Command[] =>
  busy(rounds).flatMap(({ round, machine, done, place }) =>
    (["step", "aside", "bulk"] as const).flatMap((kind) =>
      Array.from({ length: done.commands[kind] }, (_, n) => ({
        round,
        machine,
        kind,
        n,
        place: `${place}, ${kind} ${n}`,
      })),
    ),
  );

const atCommands = (
  title: string,
  mishap: (command: Command) => Mishap,
  more: (command: Command) => Partial<Fault> = () => ({}),
): FaultKind => ({
  title,
  places: (rounds) =>
    commandsOf(rounds).map((command) => ({ ...command, mishap: mishap(command), ...more(command) })),
});

/** Something happens while a command is about to run. */
function paused(
  { kind, n }: Command,
  what: (fake: FakeHost, signal: SignalEngine) => void | Promise<void>,
): Mishap {
  let pause: ReturnType<FakeHost["pauseCommand"]> | undefined;
  return {
    arm: (fake) => {
      pause = fake.pauseCommand(kind, n);
    },
    meanwhile: async (fake, signal) => {
      await pause?.reached();
      await what(fake, signal);
      pause?.go();
    },
  };
}

const refused: FaultKind = {
  title: "the kernel refuses one line of many",
  places: (rounds) =>
    busy(rounds).flatMap(({ round, machine, done, place }) =>
      Array.from({ length: done.lines }, (_, n) => ({
        round,
        machine,
        place: `${place}, line ${n}`,
        mishap: { arm: (fake: FakeHost) => fake.refuseLine(n + 1) },
      })),
    ),
};

const toolGone = (tool: string): FaultKind =>
  atCommands(`${tool} is gone before a command`, ({ kind, n }) => ({
    arm: (fake) => fake.takeTool(tool, kind, n),
  }));

const cut: FaultKind = {
  title: "the link is cut before, in the middle of, or after a script",
  places: (rounds) =>
    busy(rounds).flatMap(({ round, machine, done, place }) =>
      done.scripts.flatMap((script, i) => {
        const end = script.lastIndexOf(")");
        // of a greeting there is no middle
        const inside = end === -1 ? [] : [0.3, 0.6, 0.9, 1].map((part) => Math.floor(end * part));
        const places = [0, ...inside, "work"] as const;
        return places.map((after) => ({
          round,
          machine,
          place: `${place}, script ${i}, ${after === "work" ? "before its answer" : `after ${after} characters`}`,
          mishap: {
            arm: (fake: FakeHost) => {
              fake.cut = { script: i, after };
            },
          },
          ...(after === "work" ? { unheard: true as const } : { nothing: true as const }),
        }));
      }),
    ),
};

const locked = (title: string, seconds: number, release: (held: () => Promise<void>) => Promise<void>) => ({
  title,
  places: (rounds: readonly Round[]) =>
    busy(rounds).flatMap(({ round, machine, place }) =>
      // a reader lets others read
      (["-x", "-s"] as const).map((mode) => {
        let held: (() => Promise<void>) | undefined;
        return {
          round,
          machine,
          place: `${place}, ${mode}`,
          mishap: {
            arm: async (fake: FakeHost) => {
              fake.lockSeconds = seconds;
              held = await fake.holdLock(mode);
            },
            meanwhile: async () => release(held as () => Promise<void>),
          },
        };
      }),
    ),
});

const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const commandFails = atCommands("a command fails", ({ kind, n }) => ({
  arm: (fake) => fake.failCommand(kind, n),
}));

export const faultKinds: readonly FaultKind[] = [
  commandFails,
  refused,
  atCommands(
    "a command fails, and so does the undo of the one before",
    ({ kind, n }) => ({
      arm: (fake) => {
        fake.failCommand(kind, n);
        fake.failCommand("undo", 0);
      },
    }),
    () => ({ needsUndo: true }),
  ),
  toolGone("ipvsadm"),
  toolGone("ip"),
  atCommands("/run is full from a command on", ({ kind, n }) => ({
    arm: (fake) => fake.fillRun(kind, n),
  })),
  cut,
  atCommands(
    "the link is cut during a command",
    (command) => paused(command, (fake) => fake.hangUp()),
    () => ({ unheard: true }),
  ),
  atCommands(
    "the engine is interrupted (SIGINT, SIGTERM) during a command",
    (command) => paused(command, (_, signal) => signal(command.n % 2 === 0 ? "SIGINT" : "SIGTERM")),
    () => ({ with: "interrupt" }),
  ),
  atCommands(
    "the engine is killed (SIGKILL) during a command",
    (command) =>
      paused(command, (fake, signal) => {
        signal("SIGKILL");
        fake.hangUp();
      }),
    () => ({ with: "kill" }),
  ),
  atCommands(
    "the machine reboots during a command",
    (command) =>
      paused(command, async (fake) => {
        await fake.reboot(booted[command.machine]);
        await fake.start();
      }),
    () => ({ with: "reboot" }),
  ),
  locked("another run holds the lock for longer than the wait", 0.2, async (release) => {
    await later(700);
    await release();
  }),
  locked("another run holds the lock for a while", 5, async (release) => {
    await later(150);
    await release();
  }),
];
