import { FinalError } from "../errors.js";
import { plainText } from "../values/foreign.js";
import { type Filed, fingerprint, type HostKey, keyType, lookUp, parseHostKey } from "./known-hosts.js";
import type { Target } from "./target.js";

/** What a host's key is compared with; undefined where any will do. */
export function expectedKeys(target: Target): Filed | undefined {
  const { given } = target;
  // a key that is given always counts, also where state of an earlier version has both
  if (given.hostKey === undefined) return given.insecureIgnoreHostKey ? undefined : filed(target);
  const key = parseHostKey(given.hostKey);
  if (!key) throw new FinalError(target.label, "its hostKey is no public key", "give ssh-ed25519 AAAA…");
  return { keys: [key], revoked: [], authority: false };
}

/** What known_hosts files say of the host. */
function filed({ label, knownHosts, hostKeyAlias, host, port }: Target): Filed {
  try {
    return hostKeyAlias ? lookUp(knownHosts, hostKeyAlias, 22) : lookUp(knownHosts, host, port);
  } catch (error) {
    throw new FinalError(
      label,
      (error as Error).message,
      "name a readable file by knownHosts, or give the key as hostKey",
    );
  }
}

/** Keys that known_hosts files have for the host. */
export const filedKeys = (target: Target): readonly HostKey[] => filed(target).keys;

// in order of preference; an RSA key signs by newer algorithms than its type's name says
const algorithmsOf: Readonly<Record<string, readonly string[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};

/** Algorithms of host keys to ask for, in an order by which a host that has several keys shows one that is known. */
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

// what comes as a key need not be one
const offered = (key: Buffer): string => (key.length < 4 ? "no key:" : plainText(keyType(key), 60));

/** Why a key is refused; undefined where it is not. */
export function refusal(target: Target, key: Buffer, expected: Filed | undefined): FinalError | undefined {
  const base64 = key.toString("base64");
  if (!expected || expected.keys.some((known) => known.base64 === base64)) return undefined;
  const refused = (reason: string, remedy: string) =>
    new FinalError(
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
