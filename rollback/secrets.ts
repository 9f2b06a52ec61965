const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/**
 * A value of an export that shows secrets, each of these handed through `wrap`. What is masked, as in the engine's events,
 * is handed over as undefined.
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

/** The value as a provider gets it. */
export const inClear = (value: unknown): unknown => withSecrets(value, (secret) => secret);
