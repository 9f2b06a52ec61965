import { expect } from "vitest";
import { until } from "../support/machines/command.mts";
import { type HostName, run } from "../support/machines/lab.mts";
import { waitOn } from "./setup.mts";

/** Both machines that are directors of one cluster; the first one is preferred. */
export const directors = ["director", "rs1"] as const;

const seconds = 300;

/** Returns which hosts have an address, by `ip`. A machine that is off cannot be among them. */
export async function holders(address: string, among: readonly HostName[] = directors): Promise<HostName[]> {
  const lists = await Promise.all(among.map((host) => run(host, "ip -o addr show")));
  return among.filter((_, i) => lists[i]?.stdout.includes(` ${address}/`));
}

/**
 * Waits until one host or several have all addresses, and the others among them have none of these. Each host looks by
 * itself, at all addresses at once.
 */
export function untilHeld(
  address: string | readonly string[],
  by: HostName | readonly HostName[],
  among: readonly HostName[] = directors,
): Promise<true> {
  const addresses = [address].flat();
  const those = [by].flat();
  const count = `ip -o addr show | grep -cF ${addresses.map((one) => `-e ' ${one}/'`).join(" ")} || :`;
  const wanted = (host: HostName) => (those.includes(host) ? addresses.length : 0);
  return until(`${addresses.join(", ")} on ${those.join(" and ")}`, seconds, async () => {
    // those that get the addresses come first
    for (const host of [...those, ...among.filter((one) => !those.includes(one))])
      await waitOn(host, `[ "$(${count})" = ${wanted(host)} ]`, seconds);
    const counts = await Promise.all(among.map((host) => run(host, count)));
    return among.every((host, i) => Number(counts[i]?.stdout) === wanted(host)) ? true : undefined;
  });
}

/** Returns how often keepalived on a host has entered one of the states of VRRP, such as `BACKUP|FAULT`, with an instance. */
export async function entered(host: HostName, instance: string, states: string): Promise<number> {
  const { stdout } = await run(host, "journalctl --sync; journalctl -qu keepalived -o cat");
  return [...stdout.matchAll(new RegExp(`^\\(${instance}\\) Entering (${states}) STATE`, "gm"))].length;
}

/**
 * Does some work again until rs1 does not take over an instance meanwhile. If a machine stalls, rs1 does so too, but not
 * three times in turn.
 */
export async function withoutTakeover(instance: string, work: () => Promise<unknown>): Promise<void> {
  const takeovers = () => entered("rs1", instance, "MASTER");
  for (let tries = 1; ; tries++) {
    const before = await takeovers();
    await work();
    if ((await takeovers()) === before) return;
    expect(tries, "times in turn that rs1 took over").toBeLessThan(3);
  }
}
