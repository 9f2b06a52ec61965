import { afterAll, beforeAll, expect, test } from "vitest";
import { someOf } from "../support/some-of.js";
import { tally } from "../support/tally.js";
import { type Fault, type FaultKind, faultKinds } from "./harness/kinds.js";
import { differences, look, type Pair, pairOf, struck } from "./harness/pair.js";
import { rollBackKilled, succeed, updates, withoutEmptyAttributes } from "./harness/real-updates.js";

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
  // on a busy computer it may have let go before a script asks for the lock
  "another run holds the lock for longer than the wait": undoneOrThrough,
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
  // Entries of a script that cannot be made together are made one by one, and a script may have fewer lines.
  const mayPass = /, (aside|bulk|line) \d+$/.test(fault.place);
  expect(isStruck ? [...codes, ...(mayPass ? [0] : [])] : [0], text).toContain(code);
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
    withoutEmptyAttributes(pair.stack);
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

/** Runs updates that begin as the first one did, also if this one fails. */
async function orBack<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await pair.stack.pulumi("cancel", "--yes");
    await backByUp("--refresh");
    throw error;
  }
}

test("a rollback that fails on one director names what is left, and the next one continues it", async () => {
  const kind = faultKinds.find(({ title }) => title === "ipvsadm is gone before a command") as FaultKind;
  // The commands before the last two create what the VrrpInstance needs. How many there are is a matter of time.
  const places = kind.places(pair.rounds).filter(({ place }) => place.includes("director, step"));
  let text = "";
  for (const fault of [...places.slice(0, -2).toReversed(), ...places.slice(-2)]) {
    text = await orBack(() => ended(fault, namedIfStuck));
    if (text.includes("still needs it")) break;
  }
  expect(text).toMatch(
    /could not roll back:\n(.*\n)*.* (RealServer|VirtualService) web-one-\S+-8080\S* on .*: VrrpInstance web-one-vrrp still needs it\n/,
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
        await orBack<unknown>(() => (row === "killed" ? killed(fault) : ended(fault, row)));
        faults.held();
      } catch (error) {
        lost.push(`${fault.place}: ${(error as Error).message}`);
      }
    }
    expect(lost.join("\n\n")).toBe("");
    expect(places.length).toBeGreaterThan(0);
  },
);
