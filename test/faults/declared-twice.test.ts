import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Stack } from "../lab/stack.mjs";
import { FakeHost } from "../support/fake/fake-host.js";
import { newKey, type SshServer, sshServer } from "../support/fake/ssh-server.js";

const [hostKey, clientKey] = [newKey(), newKey()];
const host = new FakeHost();
let place: string;
let stack: Stack;
let server: SshServer;

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), "lvs-twice-"));
  writeFileSync(join(place, "ssh_config"), "");
  writeFileSync(join(place, "key"), clientKey.private, { mode: 0o600 });
  server = await sshServer({ hostKey, clientKey, shell: () => host.stream() });
  const { Stack } = await import("../lab/stack.mjs");
  stack = await Stack.ofProgram("", {
    HOME: place,
    SSH_AUTH_SOCK: "",
    LVS_SSH_CONFIG: join(place, "ssh_config"),
  });
});

afterAll(async () => {
  await stack?.dispose();
  await server?.close();
  await host.dispose();
  rmSync(place, { recursive: true, force: true });
});

/** Services of one address and port; an output is not known while the program runs. */
const program = (...services: [name: string, address: string][]) =>
  stack.program(
    services
      .map(
        ([name, address]) => `
new lvs.VirtualService("${name}", {
  connection: { host: "127.0.0.1", port: ${server.port}, privateKeyPath: ${JSON.stringify(join(place, "key"))}, hostKey: "${hostKey.public}", dialErrorLimit: 1 },
  address: ${address}, port: 80,
});`,
      )
      .join("\n"),
  );

const plain = '"192.168.0.210"';
const output = 'pulumi.output("192.168.0.210")';
const twice =
  /127\.0\.0\.1:\d+\/tcp:\/\/192\.168\.0\.210:80 is declared twice: by test\/program\/(a|b) and by test\/program\/(a|b); take one of them out of the program/;

test("one thing that two resources declare is refused by each preview and by up, and stays with the first", {
  timeout: 1_800_000,
}, async () => {
  for (const address of [plain, output]) {
    await program(["a", plain], ["b", address]);
    const { code, text } = await stack.pulumi("preview");
    expect(code).not.toBe(0);
    expect(text).toMatch(twice);
  }
  await program(["a", plain]);
  await stack.up();
  await program(["a", output], ["b", output]);
  const { code, text } = await stack.pulumi("up", "--yes", "--skip-preview");
  expect(code).not.toBe(0);
  expect(text).toMatch(twice);
  expect(host.lines("ipvs")).toEqual(["-A -t 192.168.0.210:80 -s wlc"]);
  await program(["b", output]);
  await stack.up();
  expect(host.owners()).toEqual(["test/program/b VirtualService tcp://192.168.0.210:80"]);
  await stack.destroy();
  expect(host.lines("ipvs")).toEqual([]);
});
