import { hostLabel } from "../src/ssh/connection.js";

const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/**
 * Returns a value of an export with each secret passed through `wrap`. A masked secret, as in the engine's
 * events, is undefined.
 */
export function withSecrets(value: unknown, wrap: (secret: unknown) => unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((inner) => withSecrets(inner, wrap));
  const bag = value as Record<string, unknown>;
  if (bag[signature] === secretSignature) {
    const { plaintext } = bag;
    return wrap(typeof plaintext === "string" ? withSecrets(JSON.parse(plaintext), wrap) : undefined);
  }
  return Object.fromEntries(Object.entries(bag).map(([name, inner]) => [name, withSecrets(inner, wrap)]));
}

/** Returns the value as a provider gets it. */
export const inClear = (value: unknown): unknown => withSecrets(value, (secret) => secret);

/** Returns whether a masked secret is in a value. */
export function isMasked(value: unknown): boolean {
  let found = false;
  withSecrets(value, (secret) => {
    found ||= secret === undefined;
    return secret;
  });
  return found;
}

/** Returns the name of the host in a resource's inputs, or undefined if it is a masked secret. */
export function labelIn(inputs: unknown): string | undefined {
  const { connection } = inClear(inputs) as { connection?: { host?: unknown; port?: unknown } };
  const { host, port } = connection ?? {};
  if (typeof host !== "string" || (port !== undefined && typeof port !== "number")) return undefined;
  return hostLabel({ host, port });
}
