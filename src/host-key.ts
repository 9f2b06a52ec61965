import { FinalError } from "./host-error.js";
import { fingerprint, type HostKey, keyType, knownKeys, parseHostKey } from "./known-hosts.js";
import type { Target } from "./ssh-config.js";

/** Keys that the host may prove to own; undefined where any will do. */
export function expectedKeys(target: Target): HostKey[] | undefined {
  const { given } = target;
  if (given.insecureIgnoreHostKey) return undefined;
  if (given.hostKey) return [parseHostKey(given.hostKey)];
  return filedKeys(target);
}

/** Keys that known_hosts files have for the host. */
export const filedKeys = ({ knownHosts, hostKeyAlias, host, port }: Target): HostKey[] =>
  hostKeyAlias ? knownKeys(knownHosts, hostKeyAlias, 22) : knownKeys(knownHosts, host, port);

// an RSA key signs by newer algorithms than its type's name says
export const algorithms = (types: string[]) => [
  ...new Set(types.flatMap((type) => (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type]))),
];

/** Why a key is refused; undefined where it is not. */
export function refusal(
  target: Target,
  key: Buffer,
  expected: ReturnType<typeof expectedKeys>,
): FinalError | undefined {
  if (!expected || expected.some(({ base64 }) => base64 === key.toString("base64"))) return undefined;
  const offered = `${keyType(key)} ${fingerprint(key)}`;
  if (expected.length === 0) {
    return new FinalError(
      target.label,
      `its host key is not known (it offers ${offered})`,
      `check the key, then add it (ssh-keyscan -p ${target.port} ${target.host} >> ~/.ssh/known_hosts) or give it as hostKey`,
    );
  }
  return new FinalError(
    target.label,
    `its host key is not the expected one (it offers ${offered})`,
    "if the host was set up anew, replace the key in known_hosts or hostKey; if not, someone may be in between",
  );
}
