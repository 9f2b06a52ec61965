import { createHash, createHmac } from "node:crypto";
import { matchesList } from "./glob.js";
import { maxListFile, readIfThere } from "./read-file.js";

/** A public key as in known_hosts and `hostKey`. */
export interface HostKey {
  readonly type: string;
  readonly base64: string;
}

/** The entries of known_hosts files for a host. */
export interface Filed {
  /** Keys that the host may have. */
  readonly keys: readonly HostKey[];
  /** Revoked keys, in base64. */
  readonly revoked: readonly string[];
  /** Whether known_hosts accepts an authority's certificates for the host (`@cert-authority`). */
  readonly authority: boolean;
}

/**
 * Looks a host up in known_hosts files (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). Missing files have no
 * entries.
 */
export function lookUp(files: readonly string[], host: string, port: number): Filed {
  const name = (port === 22 ? host : `[${host}]:${port}`).toLowerCase();
  const lines = files
    .flatMap(linesOf)
    .map((words) => (words[0]?.startsWith("@") ? words : ["", ...words]))
    .filter(([, names = "", , base64]) => base64 !== undefined && matches(names, name));
  const of = (marker: string) =>
    lines
      .filter(([first]) => first === marker)
      .map(([, , type = "", base64 = ""]): HostKey => ({ type, base64 }));
  const revoked = of("@revoked").map(({ base64 }) => base64);
  return {
    keys: of("").filter(({ base64 }) => !revoked.includes(base64)),
    revoked,
    authority: of("@cert-authority").length > 0,
  };
}

// A file that cannot be read is an error, because it may hold a @revoked line.
function linesOf(file: string): string[][] {
  return contentOf(file)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(/\s+/));
}

function contentOf(file: string): string {
  try {
    return readIfThere(file, maxListFile)?.toString("utf8") ?? "";
  } catch (error) {
    throw new Error(`cannot read the known hosts ${file}: ${(error as Error).message}`);
  }
}

function matches(names: string, name: string): boolean {
  if (names.startsWith("|1|")) {
    const [, , salt = "", hash = ""] = names.split("|");
    return createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash;
  }
  return matchesList(names.toLowerCase().split(","), name);
}

/** Returns the key type at the head of a key's wire form (RFC 4253 §6.6). */
export const keyType = (key: Buffer): string => key.subarray(4, 4 + key.readUInt32BE(0)).toString();

/** Returns `SHA256:…`, as ssh-keygen -l prints it. */
export const fingerprint = (key: Buffer): string =>
  `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;

/**
 * Parses a key: `ssh-ed25519 AAAA… comment`, a line of known_hosts, or only the base64 part. Returns
 * undefined for any other text.
 */
export function parseHostKey(text: string): HostKey | undefined {
  const base64 = text.split(/\s+/).find((word) => /^AAAA[A-Za-z0-9+/]+=*$/.test(word));
  const key = Buffer.from(base64 ?? "", "base64");
  if (base64 === undefined || key.length < 32) return undefined;
  const type = keyType(key);
  return /^[a-z0-9@.-]{5,60}$/.test(type) ? { type, base64 } : undefined;
}
