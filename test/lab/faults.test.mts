import { afterAll, afterEach, beforeAll, expect, it, type TestContext } from "vitest";
import { power, run, waitForSsh } from "../support/machines/lab.mts";
import { sendSignal } from "../support/send-signal.mts";
import { tally } from "../support/tally.ts";
import { between } from "./between.mts";
import { differences, type States, statesOf } from "./host-state.mts";
import { arm, cut, goOn, mend, quiet, reached } from "./on-host.mts";
import { descendants } from "./processes.mts";
import { ask, onLab } from "./setup.mts";
import { type Answer, Stack } from "./stack.mts";

const hosts = ["director", "rs1", "rs2"] as const;
const records = async () =>
  (
    await run("director", "cat /etc/pulumi-lvs/boot /run/pulumi-lvs/boot 2>/dev/null", { allowFailure: true })
  ).stdout
    .split("\n")
    .filter(Boolean)
    .sort();

type Edit = readonly [from: string, to: string];

/** A stack on its way up, or from up to changed: its measure without a fault, and what must hold after each. */
class Subject {
  readonly #environment: string;
  readonly #url: string;
  readonly #edits: readonly Edit[];
  #stack: Stack | undefined;
  #clean: States = {};
  /** In what hosts differ when all is there. */
  #full: string[] = [];
  #records: string[] = [];

  constructor(environment: string, url: string, edits: readonly Edit[] = []) {
    this.#environment = environment;
    this.#url = url;
    this.#edits = edits;
  }

  get stack(): Stack {
    if (!this.#stack) throw new Error("it has not been measured");
    return this.#stack;
  }

  /** There and back once; the first test of a group may run alone, so each begins with it. */
  async measured(): Promise<void> {
    this.#stack = await Stack.ofEnvironment(this.#environment);
    if (this.#edits.length > 0) await this.stack.up();
    // the kernel loads schedulers by itself, and keeps them as long as ip_vs
    if (this.#edits.length > 0) await run("director", "modprobe -a ip_vs_rr ip_vs_wlc");
    this.#clean = await statesOf(hosts);
    await this.#edited();
    await this.stack.up();
    this.#full = await this.changed();
    this.#records = await records();
    expect(this.#full.length).toBeGreaterThan(10);
    await this.back();
  }

  async #edited(): Promise<void> {
    for (const [from, to] of this.#edits) await this.stack.edit(from, to);
  }

  /** To where it began. */
  async back(): Promise<void> {
    for (const [from, to] of this.#edits) await this.stack.edit(to, from);
    await (this.#edits.length > 0 ? this.stack.up() : this.stack.destroy());
    expect(await this.changed()).toEqual([]);
    await this.#edited();
  }

  changed = async () => differences(this.#clean, await statesOf(hosts));

  up = (): Promise<Answer> => this.stack.pulumi("up", "--yes", "--skip-preview");

  /** `up` that gets a signal while a command waits on the director. */
  async signalled(signal: NodeJS.Signals): Promise<Answer> {
    const args = ["up", "--yes", "--skip-preview", "--stack", this.#environment, "--non-interactive"];
    let pid = 0;
    const done = this.stack.run("pulumi", args, (child) => {
      pid = child.pid as number;
    });
    await reached("director");
    const plugins = descendants(pid);
    process.kill(pid, signal);
    await goOn("director");
    const answer = await done;
    // those of an engine that was killed stay
    if (signal === "SIGKILL") for (const plugin of plugins) sendSignal(plugin, "SIGKILL");
    return answer;
  }

  /** `up` failed, and every resource of every host is as before or as after. */
  async isNotBetween({ code, text }: Answer, said: RegExp): Promise<void> {
    expect(code, text).not.toBe(0);
    expect(text).toMatch(said);
    for (const host of hosts) await quiet(host);
    expect(between(this.#full, await this.changed()), text).toEqual([]);
  }

  /** A plain `up` makes it whole and serving, with nothing else left, and `destroy` clean. */
  async isWhole(): Promise<void> {
    for (const host of hosts) await mend(host);
    await this.stack.up();
    expect(await this.changed()).toEqual(this.#full);
    expect(await records()).toEqual(this.#records);
    expect(Object.keys(await ask(this.#url, 6)).sort()).toEqual(["rs1", "rs2"]);
    await this.back();
  }
}

/** Faults on the way of a stack from nothing to all. */
function underFaults(title: string, of: Subject, tests: () => void): void {
  onLab(title, () => {
    beforeAll(() => of.measured());
    afterEach(async ({ task }) => {
      for (const host of hosts) await mend(host);
      // the next begins where each does, also after one that failed
      if (task.result?.state === "fail") await of.back();
    });
    afterAll(() => of.stack.dispose());
    tests();
  });
}

/** Call after call fails, each in an `up` that goes on from the last, until none is left to fail. */
const commandsFail = (of: Subject) => async (context: TestContext) => {
  const cases = tally(context, "faults on the lab");
  for (let n = 0; ; n++) {
    await arm("director", "fail", n);
    const answer = await of.up();
    if (answer.code === 0) {
      expect(n).toBeGreaterThan(2);
      break;
    }
    cases.tried();
    await of.isNotBetween(answer, /injected failure/);
    cases.held();
  }
  await of.isWhole();
};

const dr = new Subject("lab-dr", "http://192.168.0.210/");

underFaults("a DR cluster on its way up survives", dr, () => {
  it("a link that is cut while a command runs", async (context) => {
    const cases = tally(context, "faults on the lab");
    await arm("director", "pause", 3);
    const up = dr.up();
    await reached("director");
    cases.tried();
    await cut("director");
    await goOn("director");
    await dr.isNotBetween(await up, /the connection was lost before the host had answered/);
    await dr.isWhole();
    cases.held();
  });

  it("SIGINT, SIGTERM and SIGKILL of Pulumi while a command runs", async (context) => {
    const cases = tally(context, "faults on the lab");
    for (const [signal, n] of [
      ["SIGINT", 0],
      ["SIGTERM", 1],
      ["SIGKILL", 0],
    ] as const) {
      await arm("director", "pause", n);
      cases.tried();
      await dr.isNotBetween(await dr.signalled(signal), /./);
      await mend("director");
      // a killed run leaves its lock in the backend
      if (signal === "SIGKILL") await dr.stack.pulumi("cancel", "--yes");
      cases.held();
    }
    await dr.isWhole();
  });

  it("a director whose plug is pulled while a command runs", async (context) => {
    const cases = tally(context, "faults on the lab");
    await arm("director", "pause", 3);
    const up = dr.up();
    await reached("director");
    cases.tried();
    await power("director", "off");
    await power("director", "on");
    await waitForSsh("director", 300);
    const { code, text } = await up;
    expect(code, text).not.toBe(0);
    // what was there went with the power, and only looking tells
    await dr.stack.refresh();
    await dr.isWhole();
    cases.held();
  });

  it("a full /run, a full /etc, a director without ipvsadm, and another run that holds the lock for a while", async (context) => {
    const cases = tally(context, "faults on the lab");
    const faults = [
      [
        "fallocate -l $(df --output=avail -B1 /run | tail -1) /run/ballast",
        "rm /run/ballast",
        /make room there/,
      ],
      [
        "mv /usr/sbin/ipvsadm /usr/sbin/ipvsadm.gone",
        "mv /usr/sbin/ipvsadm.gone /usr/sbin/ipvsadm",
        /install ipvsadm there/,
      ],
    ] as const;
    for (const [break_, repair, said] of faults) {
      await run("director", break_);
      cases.tried();
      const answer = await dr.up();
      await run("director", repair);
      await dr.isNotBetween(answer, said);
      cases.held();
    }
    // nothing is written to /etc, and the lock is waited for: neither makes a difference
    await run("director", "fallocate -l $(df --output=avail -B1 / | tail -1) /ballast");
    await run("director", "setsid flock /run/pulumi-lvs.lock sleep 15 >/dev/null 2>&1 &");
    cases.tried(2);
    await dr.stack.up();
    await run("director", "rm /ballast");
    await dr.isWhole();
    cases.held(2);
  });
});

const nat = new Subject("lab-nat", "http://192.168.0.219/");

underFaults("a NAT cluster on its way up survives", nat, () => {
  it("each command that fails on the director", commandsFail(nat));
});

const mixed = new Subject("lab-dr", "http://192.168.0.210/", [
  ["scheduler: wlc", "scheduler: rr"],
  ["weight: 2", "weight: 3"],
  ["eth1:1", "eth1:9"],
  ["ipForwarding: true", "ipForwarding: false"],
]);

underFaults("a DR cluster in which entries are edited and forwarding is let go survives", mixed, () => {
  it("commands that fail on the director", commandsFail(mixed));
});
