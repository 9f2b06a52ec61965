import { statSync } from "node:fs";
import { NotRetriedError } from "../errors.js";
import { homePath } from "./home-path.js";
import { type PrivateKey, readKey } from "./key.js";
import { maxKeyFile, readRegularFile } from "./read-file.js";
import { secretOf } from "./secret.js";
import type { Target } from "./target.js";

/** Returns whether the connection itself names a key. */
export const isExplicit = ({ given }: Target): boolean =>
  given.privateKey !== undefined || given.privateKeyEnv !== undefined || given.privateKeyPath !== undefined;

/** The keys for a login. */
interface Keys {
  readonly keys: { readonly name: string; readonly key: PrivateKey }[];
  /** Public parts, which identify the keys in the agent. */
  readonly blobs: Buffer[];
  /** Keys that were skipped, and why. */
  readonly notes: string[];
}

/**
 * Returns the keys for a login. A key of the connection must be usable. A key that only the SSH configuration
 * names is skipped if it is not, as in ssh.
 */
export function keysOf(target: Target): Keys {
  const { label } = target;
  const passphrase = secretOf(target, "privateKeyPassword", "privateKeyPasswordEnv");
  const found: Keys = { keys: [], blobs: [], notes: [] };
  const explicit = isExplicit(target);
  for (const { name, text, file } of textsOf(target)) {
    const key = readKey(text, passphrase);
    const certificate = certificateBeside(file, target);
    if (certificate) found.notes.push(`the certificate ${certificate} is not used`);
    if (key.kind === "private") {
      found.keys.push({ name, key: key.key });
      found.blobs.push(key.key.getPublicSSH());
      continue;
    }
    const blob = key.kind === "public" ? (key.blob ?? publicBeside(file)) : undefined;
    if (blob && target.agent !== undefined) {
      found.blobs.push(blob);
      found.notes.push(`${name} is left to the agent: ${key.why}`);
    } else if (explicit) {
      throw new NotRetriedError(
        label,
        `cannot use the private key${file ? ` ${file}` : ""}: ${key.why}`,
        key.kind === "unusable"
          ? key.remedy
          : key.needs === "passphrase"
            ? "give privateKeyPassword, or put the key into an SSH agent"
            : "name the private key, or put it into an SSH agent",
      );
    } else found.notes.push(`${name} was passed over: ${key.why}`);
  }
  return found;
}

interface KeyText {
  readonly name: string;
  readonly text: string | Buffer;
  readonly file?: string;
}

function textsOf(target: Target): KeyText[] {
  const { given, label, identityFiles } = target;
  const inline = secretOf(target, "privateKey", "privateKeyEnv");
  if (inline !== undefined)
    return [{ name: given.privateKeyEnv ? `the key of ${given.privateKeyEnv}` : "the key", text: inline }];
  return identityFiles.flatMap((file) => {
    try {
      return [{ name: `the key ${file}`, text: readRegularFile(file, maxKeyFile), file }];
    } catch (error) {
      if (given.privateKeyPath === undefined) return [];
      throw new NotRetriedError(
        label,
        `cannot read the private key ${file}: ${(error as Error).message}`,
        "name a file with a private key by privateKeyPath",
      );
    }
  });
}

/** Returns the public key that ssh-keygen puts beside a private one. */
function publicBeside(file: string | undefined): Buffer | undefined {
  if (file === undefined) return undefined;
  try {
    const key = readKey(readRegularFile(`${file}.pub`, maxKeyFile));
    return key.kind === "public" ? key.blob : undefined;
  } catch {
    return undefined;
  }
}

const certificateBeside = (file: string | undefined, { certificates }: Target): string | undefined =>
  file === undefined
    ? undefined
    : [`${file.replace(/\.pub$/, "")}-cert.pub`, ...certificates].find((name) =>
        statSync(homePath(name), { throwIfNoEntry: false })?.isFile(),
      );
