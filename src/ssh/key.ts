import { createPrivateKey } from "node:crypto";
import { type ParsedKey, utils } from "ssh2";

/** A private key that can sign. */
export type PrivateKey = ParsedKey;

/** The content of a key file or text. */
type Key =
  | { readonly kind: "private"; readonly key: ParsedKey }
  /** The private part is missing, but an agent may have it. */
  | {
      readonly kind: "public";
      readonly blob: Buffer | undefined;
      readonly why: string;
      readonly needs?: "passphrase";
    }
  | { readonly kind: "unusable"; readonly why: string; readonly remedy: string };

const unusable = (why: string, remedy: string): Key => ({ kind: "unusable", why, remedy });

/**
 * Reads a key in OpenSSH, PEM (PKCS#1, SEC1, PKCS#8) or PuTTY form. Returns the reason if it cannot be used.
 * Never shows the key.
 */
export function readKey(text: string | Buffer, passphrase?: string): Key {
  const words = text.toString("utf8").trim();
  if (/^\S+-cert-v\d\d@openssh\.com\s/.test(words))
    return unusable("it is a certificate, which cannot be used here", "name the private key itself");
  const encrypted = isEncrypted(words);
  if (encrypted && !passphrase) {
    return { kind: "public", blob: publicPart(words), why: "it needs a passphrase", needs: "passphrase" };
  }
  const isPem = /-----BEGIN (?:(?:RSA|EC|ENCRYPTED) )?PRIVATE KEY-----/.test(words);
  const parsed = isPem ? fromPem(words, passphrase) : parse(words, passphrase);
  if (parsed instanceof Error) {
    const wrong = isPem
      ? !(parsed instanceof UnsupportedTypeError)
      : /passphrase|authenticate/.test(parsed.message);
    return encrypted && wrong
      ? unusable("its passphrase is wrong", "give the right one as privateKeyPassword")
      : unusable(
          `it is of no form that is known (${parsed.message})`,
          "make one by ssh-keygen -t ed25519, or convert it by ssh-keygen -p -f FILE",
        );
  }
  if (parsed.isPrivateKey()) return { kind: "private", key: parsed };
  return { kind: "public", blob: parsed.getPublicSSH(), why: "it is a public key" };
}

function parse(text: string, passphrase?: string): ParsedKey | Error {
  const parsed = utils.parseKey(text, passphrase);
  return Array.isArray(parsed) ? (parsed[0] as ParsedKey) : parsed;
}

/** The key was opened, but its type has no form that the library knows. */
class UnsupportedTypeError extends Error {
  constructor(type: string | undefined) {
    super(`unsupported: PKCS#8 of type ${type}`);
  }
}

// The library knows PKCS#1 and SEC1 only, and reports some wrong passphrases as damage.
function fromPem(text: string, passphrase?: string): ParsedKey | Error {
  try {
    const key = createPrivateKey({ key: text, ...(passphrase ? { passphrase } : {}) });
    const type =
      key.asymmetricKeyType === "rsa" ? "pkcs1" : key.asymmetricKeyType === "ec" ? "sec1" : undefined;
    if (!type) return new UnsupportedTypeError(key.asymmetricKeyType);
    return parse(key.export({ type, format: "pem" }).toString());
  } catch (error) {
    return error as Error;
  }
}

const isEncrypted = (text: string): boolean =>
  /^Proc-Type: 4,ENCRYPTED|^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Encryption: (?!none)/m.test(text) ||
  (opened(text)?.cipher ?? "none") !== "none";

/** Returns the public key, which OpenSSH's own form has in clear text. */
const publicPart = (text: string): Buffer | undefined => opened(text)?.publicKey;

/** Reads the head of OpenSSH's own form (PROTOCOL.key): magic, cipher, kdf, its options, one key. */
function opened(text: string): { cipher: string; publicKey: Buffer } | undefined {
  const base64 = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(text)?.[1];
  if (base64 === undefined) return undefined;
  const bytes = Buffer.from(base64, "base64");
  let at = "openssh-key-v1\0".length;
  const next = (): Buffer => {
    const length = bytes.readUInt32BE(at);
    at += 4 + length;
    return bytes.subarray(at - length, at);
  };
  try {
    const cipher = next().toString("latin1");
    next();
    next();
    at += 4;
    return { cipher, publicKey: next() };
  } catch {
    return undefined;
  }
}
