import { NotRetriedError } from "../errors.js";
import { plainText } from "../values/foreign.js";
import { type Filed, fingerprint, type HostKey, keyType, lookUp, parseHostKey } from "./known-hosts.js";
import type { Target } from "./target.js";

/** Returns the keys that a host may have, or undefined if any key is accepted. */
export function expectedKeys(target: Target): Filed | undefined {
  const { given } = target;
  // A given key always counts, also in state of an earlier version that has both fields.
  if (given.hostKey === undefined) return given.insecureIgnoreHostKey ? undefined : filed(target);
  const key = parseHostKey(given.hostKey);
  if (!key)
    throw new NotRetriedError(target.label, "its hostKey is not a public key", "give ssh-ed25519 AAAA…");
  return { keys: [key], revoked: [], authority: false };
}

/** Returns whether no key of the host is known, so that any key would be refused. */
export const isUnknown = (target: Target): boolean => expectedKeys(target)?.keys.length === 0;

/** Returns the entries of known_hosts files for the host. */
function filed({ label, knownHosts, hostKeyAlias, host, port }: Target): Filed {
  try {
    return hostKeyAlias ? lookUp(knownHosts, hostKeyAlias, 22) : lookUp(knownHosts, host, port);
  } catch (error) {
    throw new NotRetriedError(
      label,
      (error as Error).message,
      "name a readable file by knownHosts, or give the key as hostKey",
    );
  }
}

/** Returns the keys of known_hosts files for the host. */
export const filedKeys = (target: Target): readonly HostKey[] => filed(target).keys;

// In order of preference. An RSA key signs by newer algorithms than the name of its type says.
const algorithmsOf: Readonly<Record<string, readonly string[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};

/**
 * Returns the algorithms of host keys to offer. Their order makes a host with several keys show a known one.
 */
export const hostKeyAlgorithms = (keys: readonly HostKey[], sha1 = false): string[] => [
  ...new Set([
    ...keys.flatMap(({ type }) => [
      ...(algorithmsOf[type] ?? []),
      ...(sha1 && type === "ssh-rsa" ? [type] : []),
    ]),
    ...Object.values(algorithmsOf).flat(),
    ...(sha1 ? ["ssh-rsa"] : []),
  ]),
];

// The bytes from the host may not be a key.
const offered = (key: Buffer): string => (key.length < 4 ? "no key:" : plainText(keyType(key), 60));

/** Returns why a key is refused, or undefined if it is accepted. */
export function refusal(
  target: Target,
  key: Buffer,
  expected: Filed | undefined,
): NotRetriedError | undefined {
  const base64 = key.toString("base64");
  if (!expected || expected.keys.some((known) => known.base64 === base64)) return undefined;
  const refused = (reason: string, remedy: string) =>
    new NotRetriedError(
      target.label,
      `its host key ${reason} (it offers ${offered(key)} ${fingerprint(key)})`,
      remedy,
    );
  if (expected.revoked.includes(base64)) {
    return refused(
      "was revoked",
      "someone may be in between; if not, give the host a new key and take its @revoked line out of known_hosts",
    );
  }
  const file = `ssh-keyscan -p ${target.port} ${target.host} >> ~/.ssh/known_hosts`;
  if (expected.keys.length > 0) {
    return refused(
      "is not the expected one",
      "if the host was set up anew, replace the key in known_hosts or hostKey; if not, someone may be in between",
    );
  }
  if (expected.authority) {
    return refused(
      "is not filed, only an authority for it (@cert-authority), and host certificates are not understood",
      `check the key, then add it (${file}) or give it as hostKey`,
    );
  }
  return refused("is not known", `check the key, then add it (${file}) or give it as hostKey`);
}
