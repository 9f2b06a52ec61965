import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../support/machines/lab.mts";

/** A VIP, and the client's address that asks it. */
export interface Target {
  readonly name: string;
  readonly vip: string;
  readonly source: string;
}

/** What clients of a VIP had from it. */
export interface Outcome {
  /** The longest time without an answer on a new connection, in seconds. */
  readonly gap: number;
  /** Connections that were held, and how many of them were lost. */
  readonly held: number;
  readonly lost: number;
  /** Those of them that began after `renew`. */
  readonly young: { readonly held: number; readonly lost: number };
}

/** Clients that hold connections and ask for new ones, until they are stopped. */
export interface Clients {
  /** Runs some work, and returns what each VIP's clients had from it until all is answered again. */
  during(work: () => Promise<unknown>): Promise<{ outcomes: Outcome[]; lost: string[] }>;
  /** Returns the VIP and the client's port of each held connection, such as `192.0.2.1 40000`. */
  ports(): Promise<string[]>;
  /** Replaces half of the held connections by young ones. */
  renew(): Promise<void>;
  stop(): Promise<void>;
}

/** Has the client machine hold connections to each VIP. */
export async function clients(targets: readonly Target[], held: number): Promise<Clients> {
  const program = await readFile(join(import.meta.dirname, "takeover.py"), "utf8");
  const words = targets.map(({ vip, source }) => `${vip},${source}`).join(" ");
  await run(
    "client",
    `rm -f /tmp/takeover.do /tmp/takeover.done
cat >/tmp/takeover.py <<'PROGRAM'
${program}
PROGRAM
nohup python3 /tmp/takeover.py ${held} ${words} >/tmp/takeover.errors 2>&1 </dev/null &`,
  );
  let number = 0;
  /** Tells the program a verb, and returns its answer. */
  const tell = async (verb: string): Promise<string[]> => {
    number++;
    const { stdout } = await run(
      "client",
      `echo ${number} ${verb} >/tmp/takeover.do.new; mv /tmp/takeover.do.new /tmp/takeover.do
n=0; until [ "$(head -n 1 /tmp/takeover.done 2>/dev/null)" = ${number} ]; do n=$((n + 1)); [ $n -lt 1000 ] || { cat /tmp/takeover.errors; exit 1; }; sleep 0.3; done
cat /tmp/takeover.done`,
      { timeoutSeconds: 600 },
    );
    return stdout.trim().split("\n").slice(1);
  };
  await tell("verify");
  return {
    async during(work) {
      await tell("begin");
      await work();
      const lines = await tell("verify");
      const outcomes = lines.slice(0, targets.length).map((line) => {
        const [gap = 0, old = 0, oldLost = 0, young = 0, youngLost = 0] = line.split(" ").map(Number);
        return { gap, held: old + young, lost: oldLost + youngLost, young: { held: young, lost: youngLost } };
      });
      return { outcomes, lost: lines.slice(targets.length) };
    },
    ports: () => tell("ports"),
    renew: async () => void (await tell("renew")),
    stop: async () => void (await tell("stop")),
  };
}
