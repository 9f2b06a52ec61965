import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { HostName } from "./hosts.mts";
import type { Place } from "./paths.mts";
import { runOn } from "./ssh.mts";

const note = (place: Place, host: HostName) => path.join(place, `${host}.fresh`);

/** Asks a machine which boot this is, and the TCP connections that were opened from and to it. */
export const question =
  "cat /proc/sys/kernel/random/boot_id; grep ^Tcp: /proc/net/snmp | cut -d ' ' -f 6,7 | tail -n 1";

const answer = async (place: Place, host: HostName): Promise<string> =>
  (await runOn(place, host, question, { timeoutSeconds: 30 })).stdout;

/** Writes down that a machine is as the image has it, and what it answers to the question. */
export const noteFresh = (place: Place, host: HostName, answer: string): void =>
  writeFileSync(note(place, host), answer);

/** From now on a machine counts as used. */
export const noteUsed = (place: Place, host: HostName): void => rmSync(note(place, host), { force: true });

/** Whether a machine may differ from the image: we ran something on it, or others connected. */
export const isUsed = async (place: Place, host: HostName): Promise<boolean> => {
  try {
    return readFileSync(note(place, host), "utf8") !== (await answer(place, host));
  } catch {
    return true;
  }
};
