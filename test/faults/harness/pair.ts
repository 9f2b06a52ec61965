import { descendants } from "../../lab/processes.mjs";
import type { Answer, Stack } from "../../lab/stack.mjs";
import { until } from "../../support/fake/fake-host.js";
import { type CountedKind, countedKinds } from "../../support/fake/faults.js";
import type { SshHost } from "../../support/fake/ssh-host.js";
import { sendSignal } from "../../support/send-signal.mjs";
import type { Fault } from "./kinds.js";
import { booted, bulkLines, type SignalEngine } from "./machines.js";
import { type Entry, quiet, stateOf, type updates } from "./real-updates.js";
import { reported } from "./survive.js";
import type { Round } from "./update.js";

/** The machines of the harness that are the directors here. */
const names = ["director", "rs1"] as const;
type Name = (typeof names)[number];

/** What both hosts and the stack's state have. */
interface Seen {
  readonly hosts: readonly string[];
  readonly state: readonly Entry[];
}

/** A stack of the real CLI, and an update of it on both hosts. */
export interface Pair {
  readonly stack: Stack;
  readonly hosts: Readonly<Record<Name, SshHost>>;
  /** What there is without the update, which is there before each test. */
  readonly before: Seen;
  /** What there is after one without a fault. */
  readonly after: Seen;
  /** Declares what was before, or the update. */
  declare(what: "before" | "after"): Promise<void>;
  /** The update as the harness knows one: what each director was sent. */
  readonly rounds: readonly Round[];
}

const wanted = {
  before: { weight: 1, ports: [80, 443], advertInterval: 1 },
  after: { weight: 5, ports: [80, 8080], advertInterval: 2 },
};

/** A cluster on two directors. The update changes, adds and removes on both of them. */
export async function pairOf(
  { threeHosts, stackOf, keyPath }: ReturnType<typeof updates>,
  atEnd: (dispose: () => Promise<void>) => void,
): Promise<Pair> {
  const [director, rs1] = await threeHosts(atEnd);
  const hosts = { director, rs1 };
  for (const name of names) hosts[name].fake.restore(booted[name]);
  const program = ({ weight, ports, advertInterval }: (typeof wanted)["before"]) => {
    const args = {
      directors: [
        { name: "one", connection: director.connection(keyPath()), interface: "eth0" },
        { name: "two", connection: rs1.connection(keyPath()) },
      ],
      vrrp: { routerId: 51, advertInterval },
      sync: { mcastInterface: "eth1" },
      vips: ["192.168.0.210"],
      services: ports.map((port) => ({
        port,
        scheduler: "rr",
        ...(port === 80 && { health: { check: { type: "tcp" } } }),
      })),
      // so many that some of them come in one script, however slow this computer is
      realServers: [
        { name: "web", address: "192.168.10.11", weight },
        ...[12, 13, 14, 15, 16].map((n) => ({ name: `web${n}`, address: `192.168.10.${n}` })),
      ],
    };
    return `new lvs.DrCluster("web", ${JSON.stringify(args)});`;
  };
  const stack = await stackOf(program(wanted.before), {}, atEnd);
  await stack.up();
  const pair = { stack, hosts, declare: (what: keyof typeof wanted) => stack.program(program(wanted[what])) };
  const before = await look(pair);
  for (const name of names) begin(hosts[name]);
  await pair.declare("after");
  await stack.up();
  const done = Object.fromEntries(names.map((name) => [name, sentTo(hosts[name])]));
  const after = await look(pair);
  await pair.declare("before");
  await stack.up();
  await pair.declare("after");
  return { ...pair, before, after, rounds: [{ done } as unknown as Round] };
}

/** Counts what a host is sent from now on. */
function begin({ fake }: SshHost): void {
  fake.countCommands();
  fake.scripts.length = 0;
}

function sentTo({ fake }: SshHost) {
  const sent = {
    scripts: [...fake.scripts],
    commands: Object.fromEntries(countedKinds.map((kind) => [kind, fake.counted(kind)])),
    lines: fake.scripts.reduce((sum, script) => sum + bulkLines(script), 0),
  };
  fake.mend();
  return sent;
}

/** What both have now, without what the health agent reports meanwhile. */
export async function look({ stack, hosts }: Pick<Pair, "stack" | "hosts">): Promise<Seen> {
  const unreported = ({ outputs: { health: _, reasons: __, ...outputs } = {}, ...entry }: Entry): Entry => ({
    ...entry,
    outputs,
  });
  const host = (name: Name) =>
    reported(hosts[name].fake.image()).replace(/^run\/pulumi-lvs\/(health: |monitor: |checks\/).*\n/gm, "");
  const state = (await stateOf(stack)).map(unreported);
  return { hosts: names.map(host), state };
}

/**
 * Runs `npx pulumi-lvs up` and lets a fault strike it, which has ended when the answer is there. Which changes go in one
 * script is a matter of time, so an update may have fewer commands than the one that gave the places: `isStruck`.
 */
export async function struck(
  { stack, hosts }: Pair,
  { machine, mishap, place }: Fault,
): Promise<Answer & { isStruck: boolean }> {
  const { fake } = hosts[machine as Name];
  fake.scripts.length = 0;
  await mishap.arm?.(fake);
  let pid = 0;
  let ended = false;
  let plugins: number[] = [];
  const updating = stack
    .pulumiLvs(["up", ...quiet], (child) => {
      pid = child.pid as number;
    })
    .finally(() => {
      ended = true;
      // nothing waits any more for a command that does not come
      fake.write("faults/reached", "");
    });
  const signal: SignalEngine = (name) => {
    if (name !== "SIGKILL") return sendSignal(pid, name);
    const [pulumi, ...others] = descendants(pid);
    plugins = others;
    for (const one of pulumi === undefined ? [pid] : [pid, pulumi]) sendSignal(one, name);
  };
  if (mishap.meanwhile) {
    await until(() => ended || fake.scripts.some((script) => script.includes("run_script")));
    await mishap.meanwhile(fake, signal);
  }
  const answer = await updating;
  // plugins whose engine was killed stay
  for (const one of plugins) sendSignal(one, "SIGKILL");
  await fake.quiet();
  const [, kind, n] = /, (step|aside|bulk) (\d+)$/.exec(place) ?? [];
  const isStruck = kind === undefined || fake.counted(kind as CountedKind) > Number(n);
  fake.mend();
  fake.cut = undefined;
  fake.lockSeconds = 5;
  return { ...answer, isStruck };
}

/** Returns the start of a line, and the part in which it differs from that of `others` that is the most like it. */
function whereItDiffers(line: string, others: readonly string[]): string {
  const alike = (other: string) => [...line].findIndex((character, i) => character !== other[i]);
  const at = Math.max(0, ...others.map((other) => (other.startsWith(line.slice(0, 20)) ? alike(other) : 0)));
  return at < 200 ? line.slice(0, 1000) : `${line.slice(0, 60)} … ${line.slice(at - 100, at + 800)}`;
}

/** Returns the lines of hosts and the resources in which two looks differ, one a line. */
export function differences(one: Seen, other: Seen): string {
  const lines = (seen: Seen) => [
    ...seen.hosts.flatMap((text, i) => text.split("\n").map((line) => `${names[i]}: ${line}`)),
    ...seen.state.map((entry) => JSON.stringify(entry)),
  ];
  const [a, b] = [lines(one), lines(other)];
  const only = (some: readonly string[], rest: readonly string[], sign: string) =>
    some.filter((line) => !rest.includes(line)).map((line) => `${sign} ${whereItDiffers(line, rest)}`);
  return [...only(a, b, "-"), ...only(b, a, "+")].join("\n");
}
