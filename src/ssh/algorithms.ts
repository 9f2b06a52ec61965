import type { Algorithms } from "ssh2";
import { hostKeyAlgorithms } from "./host-key.js";
import type { HostKey } from "./known-hosts.js";

const sha1Exchanges = ["diffie-hellman-group-exchange-sha1", "diffie-hellman-group14-sha1"] as const;
const sha1Macs = ["hmac-sha1-etm@openssh.com", "hmac-sha1"] as const;

/**
 * Returns the algorithms that a host may choose from: the library's default lists, without SHA-1 unless
 * allowed. No compression, because a host could expand the few bytes that it may send before the login.
 */
export const algorithmsFor = (known: readonly HostKey[], sha1 = false): Algorithms => {
  const more = (names: readonly string[]) => (sha1 ? { append: [...names] } : { remove: [/sha1/] });
  const lists = {
    kex: more(sha1Exchanges),
    // A list that adds and removes would keep the library's order.
    serverHostKey: hostKeyAlgorithms(known, sha1),
    hmac: more(sha1Macs),
    compress: ["none"],
  };
  // The library's types lack patterns and some of the operations.
  return lists as unknown as Algorithms;
};
