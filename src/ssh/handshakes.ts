import { Semaphore } from "./semaphore.js";
import type { Target } from "./target.js";

/** Number of handshakes at a time. Each needs the processor of this machine. The others wait. */
const all = new Semaphore(16);

/** Number of handshakes at a time with one sshd: fewer than its MaxStartups allows, which is 10 by default. */
const ofOne = 8;
const each = new Map<string, Semaphore>();

/** Does a handshake when it is its turn. One that waits for its sshd takes no place from other hosts. */
export function inTurn<T>({ host, port }: Target, handshake: () => Promise<T>): Promise<T> {
  const sshd = `${host} ${port}`;
  const own = each.get(sshd) ?? new Semaphore(ofOne);
  each.set(sshd, own);
  return own.run(() => all.run(handshake));
}
