import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { homePath } from "./home-path.js";

/** A public key as known_hosts and `hostKey` write it. */
export interface HostKey {
  readonly type: string;
  readonly base64: string;
}

/** Keys filed for a host in known_hosts files (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"); files that are not there hold none. */
export function knownKeys(files: readonly string[], host: string, port: number): HostKey[] {
  const name = port === 22 ? host : `[${host}]:${port}`;
  const lines = files.flatMap(linesOf).map((line) => line.split(/\s+/));
  // lines of @cert-authority name no host's own key
  const found = (marker: boolean) =>
    lines
      .filter(([first = ""]) => (marker ? first === "@revoked" : !first.startsWith("@")))
      .map((words) => (marker ? words.slice(1) : words))
      .filter(([names = "", , base64]) => base64 !== undefined && matches(names, name))
      .map(([, type = "", base64 = ""]) => ({ type, base64 }));
  const revoked = new Set(found(true).map(({ base64 }) => base64));
  return found(false).filter(({ base64 }) => !revoked.has(base64));
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(homePath(file), "utf8")
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("#"));
  } catch {
    return [];
  }
}

function matches(names: string, name: string): boolean {
  if (names.startsWith("|1|")) {
    const [, , salt = "", hash = ""] = names.split("|");
    return createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash;
  }
  const patterns = names.split(",");
  const hit = (pattern: string) =>
    new RegExp(
      `^${pattern
        .replace(/[.+^${}()|[\]\\]/g, "\\$&")
        .replaceAll("*", ".*")
        .replaceAll("?", ".")}$`,
    ).test(name);
  return (
    patterns.some((p) => !p.startsWith("!") && hit(p)) &&
    !patterns.some((p) => p.startsWith("!") && hit(p.slice(1)))
  );
}

/** The key type at the head of a key's wire form (RFC 4253 §6.6). */
export const keyType = (key: Buffer): string => key.subarray(4, 4 + key.readUInt32BE(0)).toString();

/** `SHA256:…`, as ssh-keygen -l prints it. */
export const fingerprint = (key: Buffer): string =>
  `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;

/** A key given as `ssh-ed25519 AAAA… comment`, or just the base64 part. */
export function parseHostKey(text: string): HostKey {
  const words = text.trim().split(/\s+/);
  const base64 = words.length > 1 ? (words[1] as string) : (words[0] as string);
  return { type: keyType(Buffer.from(base64, "base64")), base64 };
}
