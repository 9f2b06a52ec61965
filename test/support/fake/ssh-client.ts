import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, vi } from "vitest";
import { HostError } from "../../../src/errors.js";
import { RemoteShell } from "../../../src/host/remote-shell.js";
import type { Connection } from "../../../src/ssh/connection.js";
import { openShell } from "../../../src/ssh/open-shell.js";
import { newKey, type ServerOptions, type SshServer, sshServer } from "./ssh-server.js";
import { findProgram } from "./tree.js";

/** Keys of the servers, and of who may log in there, where a test has none of its own. */
export const hostKey = newKey();
export const clientKey = newKey();

/** The secret that tests plant. */
export const secret = "hunter2-s3cret";

/** A home of its own for each test, with an empty SSH configuration and no agent. */
export function ownHome() {
  let home = "";
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "lvs-ssh-"));
    vi.stubEnv("SSH_AUTH_SOCK", undefined);
    vi.stubEnv("HOME", home);
    config("");
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true, force: true });
  });
  const path = (name: string) => join(home, name);
  const file = (name: string, text: string): string => {
    writeFileSync(path(name), text, { mode: 0o600 });
    return path(name);
  };
  const config = (text: string) => void vi.stubEnv("LVS_SSH_CONFIG", file("config", text));

  /** A PATH on which everybody is root, and `sudo` is what the text says. */
  const tools = (sudo: string | undefined = 'shift; exec "$@"'): string => {
    const directory = mkdtempSync(path("tools-"));
    symlinkSync(findProgram("sh") as string, join(directory, "sh"));
    for (const [name, text] of [
      ["id", "echo 0"],
      ["sudo", sudo],
    ] as const)
      if (text) writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return directory;
  };

  const server = async (options: Partial<ServerOptions> = {}): Promise<SshServer> => {
    const made = await sshServer({ hostKey, clientKey, path: tools(), ...options });
    onTestFinished(() => made.close());
    return made;
  };
  return { path, file, config, tools, server };
}

export type Given = Partial<Connection> & { port?: number | undefined };

/** A connection to a server of a test. */
export const to = (given: Given): Connection =>
  ({
    host: "127.0.0.1",
    hostKey: hostKey.public,
    // one that is named elsewhere is the only one
    ...(given.privateKeyPath || given.privateKeyEnv ? {} : { privateKey: clientKey.private }),
    dialErrorLimit: 1,
    ...given,
  }) as Connection;

/** Opens a shell, says hello through it, and closes it. */
export async function hello(given: Given): Promise<string> {
  const stream = await openShell(to(given));
  try {
    const shell = await RemoteShell.open("127.0.0.1", stream);
    const output = await shell.run((nonce) => `echo hello; printf '%s done\\n' ${nonce}\n`);
    return /^hello$/m.exec(output)?.[0] ?? output;
  } finally {
    stream.close();
  }
}

/** The error, of which every one is one line, of a host, and without secrets. */
export async function refusal(given: Given, ...secrets: readonly string[]): Promise<HostError> {
  const error = await hello(given).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(HostError);
  const { message, stack, cause } = error as HostError;
  expect(message.split("\n")).toHaveLength(1);
  for (const planted of [secret, "PRIVATE KEY", clientKey.private.split("\n")[2] as string, ...secrets])
    expect(`${message}${stack}${JSON.stringify(cause)}${JSON.stringify(error)}`).not.toContain(planted);
  return error as HostError;
}
