/** Flags of the connection. Each is the argument of that name, with hyphens between words. */
export const connectionFlags: Readonly<Record<string, { readonly value?: string; readonly text: string }>> = {
  user: { value: "name", text: "login" },
  port: { value: "number", text: "SSH port" },
  "password-env": { value: "name", text: "environment variable with the password" },
  "private-key-path": { value: "file", text: "file with the private key" },
  "private-key-env": { value: "name", text: "environment variable with the private key" },
  "private-key-password-env": { value: "name", text: "environment variable with the key's password" },
  "agent-socket-path": { value: "file", text: "socket of the SSH agent" },
  "host-key": { value: "key", text: "the host's public key" },
  "known-hosts": { value: "file", text: "file with the hosts' public keys" },
  sudo: { text: "run commands by sudo" },
  "insecure-ignore-host-key": { text: "accept any host key" },
  "insecure-allow-sha1": { text: "accept signatures with SHA-1" },
};

/** Returns the flag of an argument of the connection. */
export const flagOf = (name: string): string =>
  `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

const camelCase = (flag: string) => flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

const inTexts = new RegExp(
  `(?<![\\w-])(?:connection\\.)?(${Object.keys(connectionFlags)
    .map(camelCase)
    .filter((name) => /[A-Z]/.test(name))
    .join("|")})\\b`,
  "g",
);

/** Returns a message about a connection with the flags in place of its arguments. */
export const inFlags = (text: string): string => text.replaceAll(inTexts, (_, name: string) => flagOf(name));
