import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { wait } from "../../../providers/real-server/drain.js";
import { HostError, NotRetriedError } from "../../../src/errors.js";
import { type FactName, Facts } from "../../../src/facts/facts.js";
import type { Job } from "../../../src/host/job.js";
import { FakeClock } from "../../support/fake/fake-clock.js";
import { tally } from "../../support/tally.js";

const words = { tcp: "-t 192.168.0.5:80", udp: "-u 192.168.0.5:80", fwmark: "-f 7" };
const services = { tcp: "tcp://192.168.0.5:80", udp: "udp://192.168.0.5:80", fwmark: "fwmark://7" };
const headings = { tcp: "TCP  192.168.0.5:80", udp: "UDP  192.168.0.5:80", fwmark: "FWM  7" };

/** A director in memory, with one server. */
class Director {
  protocol: keyof typeof words = "tcp";
  persistent = false;
  expire = "0";
  /** Whether the service's address is one of its own. */
  local = true;
  /** Whether it gets the connections of another director, and may get the address. */
  synced = false;
  floats = false;
  /** Whether both count. */
  alsoSynced = false;
  weight: number | undefined = 3;
  /** Persistent, active, inactive. */
  counts: readonly [number, number, number] = [0, 0, 0];
  since: number | undefined;
  clock = 1000;
  boot = "one";
  reachable = true;
  /** Steps that were run. */
  readonly run: string[] = [];

  get key() {
    return { service: services[this.protocol], address: "192.168.10.1", port: 80 };
  }

  facts(): Facts {
    const entry = `-a ${words[this.protocol]} -r 192.168.10.1:80 -m -w ${this.weight}\n`;
    const bodies: [FactName, string][] = [
      [
        "table",
        `-A ${words[this.protocol]} -s wlc${this.persistent ? " -p 300" : ""}\n${this.weight === undefined ? "" : entry}IP Virtual Server version 1.2.1 (size=4096)\n${headings[this.protocol]} wlc\n${this.weight === undefined ? "" : "  -> 192.168.10.1:80  9 4\n"}`,
      ],
      ["connections", `${headings[this.protocol]} wlc\n  -> 192.168.10.1:80  0 ${this.counts.join(" ")}\n`],
      ["routes:4:local", this.local ? '[{"type":"local","dst":"192.168.0.5"}]' : "[]"],
      ["sysctl:net.ipv4.vs.expire_quiescent_template", `${this.expire}\n`],
      ["sysctl:kernel.random.boot_id", `${this.boot}\n`],
      ["draining", this.since === undefined ? "" : `${this.key.service}\t192.168.10.1:80\t${this.since}\n`],
      ["clock", `${this.clock}\n`],
      [
        "ledger",
        this.floats
          ? "--\n65\tobject\tVrrpInstance vrrp/eth1/61\tproject/stack/web\tvrrp\t192.168.0.5\n--\n"
          : "--\n\n--\n",
      ],
      [
        "daemons",
        this.synced
          ? "backup sync daemon (mcast=eth2, syncid=7, maxlen=1400, group=224.0.0.81, port=8848, ttl=1)\n"
          : "",
      ],
    ];
    return new Facts(new Map(bodies.map(([name, body]) => [name, { body }])));
  }

  async submit({ plan }: Omit<Job, "owner">): Promise<Facts> {
    const unreachable = new HostError("director1", "no route to host");
    if (!this.reachable) throw new Error("cannot delete", { cause: unreachable });
    try {
      for (const { run } of plan(this.facts()).steps) {
        this.run.push(run.join(" "));
        if (run[0] === "begin_drain") this.since = this.clock;
        else this.weight = Number(run[run.indexOf("-w") + 1]);
      }
    } catch (cause) {
      throw new Error(`cannot delete: ${(cause as Error).message}`, { cause });
    }
    return this.facts();
  }

  /** Drains it, with what happens at each second. */
  drain(timeout: number, minimum: number, meanwhile: (second: number) => void = () => undefined) {
    const clock = new FakeClock(undefined, (second) => {
      this.clock++;
      meanwhile(second);
    });
    return wait(
      {
        key: this.key,
        limits: { timeout, minimum },
        facts: [],
        alsoSynced: this.alsoSynced,
        isLeaving: () => true,
      },
      { host: "director1", clock, submit: async (job) => ({ facts: await this.submit(job) }) },
    );
  }
}

const director = (given: Partial<Director> = {}) => Object.assign(new Director(), given);

test("a server is waited for until no connection is left and the minimum has passed, or the deadline", async (context) => {
  const laws = tally(context, "laws");
  const seconds = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(seconds, fc.nat(8), fc.nat(6), async (active, timeout, minimum) => {
      laws.tried();
      const at = (second: number) => active[Math.min(second, active.length - 1)] as number;
      const host = director({ counts: [0, at(0), 5] });
      const result = await host.drain(Math.max(timeout, minimum), minimum, (second) => {
        host.counts = [0, at(second), 5];
      });
      let end = 0;
      while (end < Math.max(timeout, minimum) && (at(end) > 0 || end < minimum)) end++;
      expect(result).toEqual({ seconds: end, left: at(end) });
      expect(host.run).toEqual([
        "begin_drain tcp://192.168.0.5:80 192.168.10.1:80",
        "ipvsadm -e -t 192.168.0.5:80 -r 192.168.10.1:80 -m -w 0 -x 9 -y 4",
      ]);
      laws.held();
    }),
    { numRuns: 60 },
  );
});

describe("counts", () => {
  const left = async (given: Partial<Director>) => (await director(given).drain(1, 1))?.left;

  test("active connections of TCP and of firewall marks, and all of UDP, which has no active ones", async () => {
    expect(await left({ counts: [0, 2, 5] })).toBe(2);
    expect(await left({ protocol: "fwmark", counts: [0, 2, 5] })).toBe(2);
    expect(await left({ protocol: "udp", counts: [0, 0, 5] })).toBe(5);
  });

  test("templates of a persistent service, unless the kernel does not heed those of quiesced servers", async () => {
    expect(await left({ persistent: true, counts: [4, 2, 5] })).toBe(6);
    expect(await left({ persistent: true, expire: "1", counts: [4, 2, 5] })).toBe(2);
    expect(await left({ counts: [4, 2, 5] })).toBe(2);
  });
});

describe("no connection is waited for", () => {
  test("where the server is not there, or the service's address is not the director's", async () => {
    for (const given of [{ weight: undefined }, { local: false }]) {
      const host = director({ ...given, counts: [0, 9, 0] });
      expect(await host.drain(60, 1)).toBeUndefined();
      expect(host.run).toEqual([]);
    }
  });

  test("any longer once either comes to pass meanwhile", async () => {
    const removed = director({ counts: [0, 9, 0] });
    const gone = await removed.drain(60, 1, (second) => {
      if (second === 4) Object.assign(removed, { weight: undefined, counts: [0, 0, 0] });
    });
    expect(gone).toEqual({ seconds: 4, left: 0 });
    const moved = director({ counts: [0, 9, 0] });
    const cut = await moved.drain(60, 1, (second) => {
      moved.local = second < 4;
    });
    expect(cut).toEqual({ seconds: 4, left: 9, unused: true });
  });
});

test("of two directors, the one that takes the address over waits for the connections that the other one leaves", async () => {
  const [one, two] = [director({ counts: [0, 9, 0] }), director({ local: false, counts: [0, 9, 0] })];
  const left = await one.drain(60, 1, (second) => {
    one.local = second < 4;
    two.local = !one.local;
  });
  expect(left).toEqual({ seconds: 4, left: 9, unused: true });
  expect(two.weight).toBe(3);
  const ended = await two.drain(60, 1, (second) => {
    two.counts = [0, 9 - second, 0];
  });
  expect(ended).toEqual({ seconds: 9, left: 0 });
});

describe("of two directors with sync", () => {
  const backup = (given: Partial<Director> = {}) =>
    director({ local: false, synced: true, floats: true, alsoSynced: true, counts: [0, 9, 0], ...given });

  test("the backup waits for the connections that the master sends it", async () => {
    const host = backup();
    const ended = await host.drain(60, 1, (second) => {
      host.counts = [0, second < 7 ? 9 : 0, 0];
    });
    expect(ended).toEqual({ seconds: 7, left: 0 });
    expect(host.weight).toBe(0);
  });

  test("the backup does not wait in a change, without a daemon, or if it never gets the address", async () => {
    for (const given of [{ alsoSynced: false }, { synced: false }, { floats: false }]) {
      const host = backup(given);
      expect(await host.drain(60, 1)).toBeUndefined();
      expect(host.run).toEqual([]);
    }
  });

  test("the backup goes on when the master still sends it new connections", async () => {
    const host = backup();
    const left = await host.drain(60, 1, (second) => {
      host.counts = [0, second < 12 ? 9 : 10, 0];
    });
    expect(left).toEqual({ seconds: 12, left: 10, unused: true });
  });

  test("the backup waits for connections that sync copies after the drain began", async () => {
    const host = backup();
    const ended = await host.drain(60, 1, (second) => {
      host.counts = [0, second < 4 ? 9 : second < 20 ? 11 : 0, 0];
    });
    expect(ended).toEqual({ seconds: 20, left: 0 });
  });

  test("a wait ends when the address leaves both, as by a destroy", async () => {
    const host = backup();
    const left = await host.drain(60, 1, (second) => {
      host.floats = second < 3;
    });
    expect(left).toEqual({ seconds: 3, left: 9, unused: true });
  });
});

describe("while a server drains", () => {
  test("its host may be out of reach, but not for longer than the deadline", async () => {
    const back = director({ counts: [0, 1, 0] });
    const result = await back.drain(9, 1, (second) => {
      back.reachable = second < 2 || second > 7;
    });
    expect(result).toEqual({ seconds: 9, left: 1 });
    const away = director({ counts: [0, 1, 0] });
    const failed = away.drain(9, 1, (second) => {
      away.reachable = second < 2;
    });
    await expect(failed).rejects.toThrow("cannot delete");
    expect(away.clock).toBe(1009);
  });

  test("a weight that was given by hand is removed again", async () => {
    const host = director({ counts: [0, 1, 0] });
    await host.drain(5, 1, (second) => {
      if (second === 2) host.weight = 7;
    });
    expect(host.weight).toBe(0);
  });

  test("a reboot that brings it back begins anew, and the deadline stays", async () => {
    const host = director({ counts: [0, 1, 0] });
    const result = await host.drain(9, 1, (second) => {
      if (second === 3) Object.assign(host, { boot: "two", since: undefined, weight: 3, counts: [0, 2, 0] });
    });
    expect([result, host.weight]).toEqual([{ seconds: 9, left: 2 }, 0]);
  });

  test("to declare it again calls that off, and its weight is left alone", async () => {
    const host = director({ counts: [0, 1, 0] });
    const called = host.drain(9, 1, (second) => {
      if (second === 3) Object.assign(host, { since: undefined, weight: 3 });
    });
    await expect(called).rejects.toMatchObject({ cause: expect.any(NotRetriedError) });
    expect([host.clock, host.weight]).toEqual([1003, 3]);
  });
});

test("who comes after a crash goes on from when it began, also where the deadline is long past", async () => {
  const begun = (ago: number) => director({ weight: 0, since: 1000 - ago, counts: [0, 1, 0] });
  expect(await begun(50).drain(60, 1)).toEqual({ seconds: 60, left: 1 });
  expect(await begun(500).drain(60, 1)).toEqual({ seconds: 500, left: 1 });
  const ahead = begun(-500);
  expect(await ahead.drain(6, 1)).toEqual({ seconds: 6, left: 1 });
});
