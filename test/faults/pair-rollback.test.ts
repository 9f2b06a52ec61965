import { afterAll, beforeAll, expect, test } from "vitest";
import { someOf } from "../support/some-of.js";
import { tally } from "../support/tally.js";
import { type Fault, type FaultKind, faultKinds } from "./harness/kinds.js";
import { differences, look, type Pair, pairOf, struck } from "./harness/pair.js";
import { rollBackKilled, succeed, updates } from "./harness/real-updates.js";

// Real updates of two directors by `npx pulumi-lvs up`, each struck by a fault of the harness. Both are equal afterwards.

const parts = updates();
const ends: (() => Promise<void>)[] = [];
let pair: Pair;
beforeAll(async () => {
  pair = await pairOf(parts, (dispose) => ends.push(dispose));
});
afterAll(async () => {
  for (const dispose of ends) await dispose();
});

const undone = [10];
// a fault may strike where nothing needs what is missing, or where nothing more was to come
const undoneOrThrough = [0, 10];
// what stays missing may be what the undo needs
const namedIfStuck = [0, 10, 11];

/** The exit codes that `npx pulumi-lvs up` may have after each kind of fault. */
const rows: Readonly<Record<string, readonly number[] | "killed">> = {
  "a command fails": undone,
  "the kernel refuses one line of many": undone,
  "a command fails, and so does the undo of the one before": undone,
  "ipvsadm is gone before a command": namedIfStuck,
  "ip is gone before a command": namedIfStuck,
  "/run is full from a command on": namedIfStuck,
  // a director that does not answer when `up` looks at it
  "the link is cut before, in the middle of, or after a script": [...undoneOrThrough, 14],
  "the link is cut during a command": undone,
  "the engine is interrupted (SIGINT, SIGTERM) during a command": undone,
  "the engine is killed (SIGKILL) during a command": "killed",
  "the machine reboots during a command": undone,
  "another run holds the lock for longer than the wait": undone,
  "another run holds the lock for a while": [0],
};

test("each kind of fault of the harness has a row", () => {
  expect(Object.keys(rows)).toEqual(faultKinds.map(({ title }) => title));
});

const isAs = async (wanted: Pair["before"]) => {
  const unlike = differences(wanted, await look(pair));
  // an assertion would cut the text off
  if (unlike) throw new Error(unlike);
};
const isBefore = () => isAs(pair.before);
const isAfter = () => isAs(pair.after);

async function rollBack(): Promise<void> {
  const { code, text } = await pair.stack.pulumiLvs(["rollback"]);
  expect(code, text).toBe(0);
}

/** An update that ends by itself: both are as before, or both as declared, or `rollback` makes both as before. */
async function ended(fault: Fault, codes: readonly number[]): Promise<string> {
  const { code, text, isStruck } = await struck(pair, fault);
  expect(isStruck ? codes : [0], text).toContain(code);
  if (code === 0) await isAfter();
  if (code === 11) expect(text).toMatch(/could not roll back:\n.* on \S+: /);
  if (code === 0 || code === 11) await rollBack();
  await isBefore();
  return text;
}

/** After an update that was killed, `rollback` makes both as before, and `up` makes both as declared. */
async function killed(fault: Fault): Promise<void> {
  const first = await struck(pair, fault);
  await (first.isStruck ? rollBackKilled(pair.stack) : rollBack());
  await isBefore();
  const second = await struck(pair, fault);
  if (second.isStruck) {
    expect((await pair.stack.pulumi("cancel", "--yes")).code).toBe(0);
    await succeed(pair.stack);
  }
  await isAfter();
  await backByUp();
  await isBefore();
}

async function backByUp(...flags: string[]): Promise<void> {
  await pair.declare("before");
  await pair.stack.up(...flags);
  await pair.declare("after");
}

/** One place of an update, and another one for each kind; or all. */
function placesOf(kind: FaultKind): Fault[] {
  const places = kind.places(pair.rounds);
  const first = Math.floor((places.length * faultKinds.indexOf(kind)) / faultKinds.length);
  return someOf([...places.slice(first), ...places.slice(0, first)], places.length);
}

test("a rollback that fails on one director names what is left, and the next one continues it", async () => {
  // ipvsadm goes when the update deletes a real server there, after all that it changes
  const ipvsadm = `#!/bin/sh
case "$*" in "-d -t 192.168.0.210:443"*) rm "$LVS_FAKE_ROOT/tools/ipvsadm"; exit 127 ;; esac
exec "$LVS_FAKE_BIN/ipvsadm" "$@"
`;
  const text = await ended(
    {
      round: pair.rounds[0] as Fault["round"],
      machine: "director",
      place: "director, the deletion of a real server",
      mishap: { arm: (fake) => fake.write("tools/ipvsadm", ipvsadm) },
    },
    [11],
  );
  expect(text).toMatch(
    /could not roll back:\n(.*\n)*.* RealServer web-one-\S+-8080-web on .*: VrrpInstance web-one-vrrp still needs it\n/,
  );
});

// all places of a kind take a quarter of an hour
const timeout = 3_600_000;
test.for(faultKinds)(
  "two directors are equal after an update in which $title",
  { timeout },
  async (kind, context) => {
    const faults = tally(context, "faults on fake hosts");
    const places = placesOf(kind);
    const row = rows[kind.title] ?? [];
    const lost: string[] = [];
    for (const fault of places) {
      faults.tried();
      try {
        await (row === "killed" ? killed(fault) : ended(fault, row));
        faults.held();
      } catch (error) {
        lost.push(`${fault.place}: ${(error as Error).message}`);
        // the next one begins as this one did
        await pair.stack.pulumi("cancel", "--yes");
        await backByUp("--refresh");
      }
    }
    expect(lost.join("\n\n")).toBe("");
    expect(places.length).toBeGreaterThan(0);
  },
);
