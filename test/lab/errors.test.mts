import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { reset, run, secretaryPassword } from "../support/machines/lab.mts";
import { type HostState, stateOf } from "./host-state.mts";
import { disposing, onLab } from "./setup.mts";
import { Stack } from "./stack.mts";

const program = (connection: string) => `
new lvs.VirtualService("web", { connection: { host: "director", dialErrorLimit: 1, ${connection} }, address: "192.168.0.210", port: 80 });
`;

/** A port on loopback where no program listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

onLab("what goes wrong on the way to a host", () => {
  const keep = disposing();
  let stack: Stack;
  let place: string;
  let clean: HostState;

  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), "lvs-keys-"));
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(place, "stranger")]);
    stack = keep(await Stack.ofProgram(program("")));
    stack.environment({ SSH_AUTH_SOCK: "" });
    clean = await stateOf("director");
  });

  afterAll(() => rm(place, { recursive: true, force: true }));

  /** Runs `up`, which must fail, and returns the one line that says why. */
  async function failure(connection: string): Promise<string> {
    await stack.program(program(connection));
    const { code, text } = await stack.pulumi("up", "--yes", "--skip-preview");
    expect(code, text).not.toBe(0);
    expect(text).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
    const lines = [
      ...new Set(
        text
          .split("\n")
          .map((line) => line.trim())
          .filter((line) => /^error: (?!update failed)/.test(line)),
      ),
    ];
    expect(lines, text).toHaveLength(1);
    expect(lines[0]).toMatch(/tcp:\/\/192\.168\.0\.210:80 on director/);
    expect(await stateOf("director")).toEqual(clean);
    return lines[0] as string;
  }

  it("is told in one line: a key that the host does not know", async () => {
    const line = await failure(`privateKeyPath: "${join(place, "stranger")}"`);
    expect(line).toMatch(
      /login as root@127\.0\.0\.1:\d+ was refused; check user, privateKeyPath, agent or password/,
    );
  });

  it("a wrong password, which is shown nowhere", async () => {
    const line = await failure('user: "secretary", privateKeyPath: undefined, password: "planted-secret"');
    expect(line).toMatch(/login as secretary@127\.0\.0\.1:\d+ was refused/);
    const state = JSON.stringify(await stack.resources());
    expect(line + state).not.toContain("planted-secret");
  });

  it("a host key that is not known", async () => {
    const line = await failure('knownHosts: "/nonexistent"');
    expect(line).toMatch(
      /its host key is not known \(it offers ssh-ed25519 SHA256:\S+\); check the key, then add it/,
    );
  });

  it("a host key that is another's", async () => {
    const other = readFileSync(join(place, "stranger.pub"), "utf8").trim();
    expect(await failure(`hostKey: "${other}"`)).toMatch(/its host key is not the expected one/);
  });

  it("a host that does not answer", async () => {
    const port = await closedPort();
    // another port is another host, and named so
    expect(await failure(`port: ${port}`)).toMatch(
      new RegExp(
        `on director:${port}: cannot be reached at root@127\\.0\\.0\\.1:${port}: .*; check that it is up`,
      ),
    );
  });

  it("a user who may not become root", async () => {
    expect(await failure('user: "plain"')).toMatch(
      /cannot become root: sudo: .*; let the user run sudo without a password/,
    );
    expect(await failure('user: "plain", sudo: false')).toMatch(
      /is not root \(uid \d+\); log in as root, or set sudo: true/,
    );
  });

  it("no ipvsadm on the host", async () => {
    await run("director", "mv /usr/sbin/ipvsadm /usr/sbin/ipvsadm.away");
    clean = await stateOf("director");
    expect(await failure("")).toMatch(
      /ipvsadm.*not found; install ipvsadm there \(Debian, Ubuntu: apt-get install ipvsadm/,
    );
    await run("director", "mv /usr/sbin/ipvsadm.away /usr/sbin/ipvsadm");
  });

  it("a kernel without ip_vs", async () => {
    await run("director", "mv /lib/modules/$(uname -r)/kernel/net/netfilter/ipvs /var/tmp/; depmod -a");
    clean = await stateOf("director");
    expect(await failure("")).toMatch(
      /Can't initialize ipvs.*; its kernel has no ip_vs: install a kernel that has it/,
    );
    await reset(["director"]);
  });

  it("and goes away with its cause: by sudo, and by password", async () => {
    await stack.program(program('user: "operator"'));
    await stack.up();
    expect((await run("director", "ipvsadm -Sn")).stdout).toBe("-A -t 192.168.0.210:80 -s wlc\n");
    await stack.program(program(`user: "secretary", password: "${await secretaryPassword()}"`));
    await stack.destroy("--run-program");
    expect((await run("director", "cat /proc/net/ip_vs")).stdout).not.toMatch(/TCP/);
  });
});
