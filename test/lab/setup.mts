import { afterAll, beforeAll, describe, it } from "vitest";
import { findPulumi } from "../../scripts/setup/pulumi.mjs";
import { quote } from "../../src/shell/quote.js";
import { type HostName, hosts, reset, run, unsupported, up } from "../support/machines/lab.mts";
import type { Stack } from "./stack.mts";

// workers of vitest count from 1, and each has a lab of its own
if (Number(process.env.LVS_LABS) > 1) process.env.LVS_LAB ??= process.env.VITEST_POOL_ID ?? "1";

/** Why the lab's tests cannot run here; undefined where they can. */
const missing: string | undefined =
  unsupported() ?? (findPulumi() ? undefined : "there is no Pulumi CLI: node scripts/setup.mjs gets it");

/** A group of tests on the four real machines, which begin it clean; skipped, with the reason, where there can be none. */
export function onLab(title: string, tests: () => void): void {
  describe.skipIf(missing !== undefined)(missing ? `${title} (skipped: ${missing})` : title, () => {
    beforeAll(async () => {
      await up();
      await reset();
    });
    tests();
  });
}

/** Makes a test that does not depend on the kernel: undefined in the smoke on emulated CPUs, which has six minutes. */
export const aside = process.env.LVS_SMOKE ? undefined : it;

/** Whether this is the long run, which the night has. */
export const isLong = process.env.LVS_FAILURES === "all";

/** Makes a test of the long run: undefined in an ordinary one. */
export const itAtNight = isLong ? it : undefined;

/**
 * How long a condition is waited for: a busy computer makes a test slow, not red. A command on a machine costs 50 ms of a
 * processor that other labs need.
 */
export const patience = { timeout: 300_000, interval: 1000 };

/** Waits until a shell condition holds on a machine, which looks by itself: that costs a third of a `run` each time. */
export const waitOn = (host: HostName, condition: string, seconds = 600) => {
  const late = `echo ${quote(`not within ${seconds} s: ${condition}`)} >&2; exit 1`;
  return run(
    host,
    `n=0; until ${condition}; do n=$((n + 1)); [ $n -lt ${2 * seconds} ] || { ${late}; }; sleep 0.5; done`,
    { timeoutSeconds: 2 * seconds },
  );
};

/** Disposes of stacks when the group is over. */
export function disposing(): (stack: Stack) => Stack {
  const stacks: Stack[] = [];
  afterAll(async () => {
    for (const stack of stacks) await stack.dispose();
  });
  return (stack) => {
    stacks.push(stack);
    return stack;
  };
}

/** Asks the VIP from the client machine, one connection each, and counts who answered. */
export async function ask(url: string, times: number): Promise<Record<string, number>> {
  // each asks for a page of its own, so that one process makes all connections
  const script = `curl -s -m 3 --fail-early -H 'Connection: close' -w '%{onerror}failed\\n' '${url}?[1-${times}]' || :`;
  const { stdout } = await run("client", script, { timeoutSeconds: 600 });
  const counts: Record<string, number> = {};
  for (const name of stdout.split("\n").filter(Boolean)) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Which hosts answer an ARP request for the address, by the MAC addresses in the replies. */
export async function arpAnswers(address: string): Promise<HostName[]> {
  const macs = await Promise.all(
    hosts.map(
      async (host) =>
        [host, (await run(host, "cat /sys/class/net/eth1/address")).stdout.trim().toLowerCase()] as const,
    ),
  );
  // broadcast each time, so that everyone who would answer does
  const { stdout } = await run("client", `arping -b -c 3 -w 5 -I eth1 ${address}`, { allowFailure: true });
  const seen = stdout.toLowerCase();
  return macs.filter(([, mac]) => seen.includes(mac)).map(([host]) => host);
}
