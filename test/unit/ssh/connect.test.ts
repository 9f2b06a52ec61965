import { rmSync, writeFileSync } from "node:fs";
import { createServer, Socket } from "node:net";
import { join } from "node:path";
import type { Algorithms } from "ssh2";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { isDown } from "../../../src/errors.js";
import { fingerprint, parseHostKey } from "../../../src/ssh/known-hosts.js";
import {
  clientKey,
  type Given,
  hello,
  hostKey,
  ownHome,
  refusal,
  secret,
} from "../../support/fake/ssh-client.js";
import { newKey } from "../../support/fake/ssh-server.js";
import { freePort } from "../../support/free-port.js";

const { file, config, tools, server } = ownHome();

describe("a connection to a real server of SSH", () => {
  test("with the right keys gets a shell", async () => {
    const { port, commands, users } = await server();
    expect(await hello({ port })).toBe("hello");
    expect(commands).toEqual(["exec sh"]);
    expect(users).toEqual(["root"]);
  });

  test("becomes root by sudo where the user is not, unless sudo is off", async () => {
    const { port, commands } = await server();
    expect(await hello({ port, user: "admin" })).toBe("hello");
    expect(await hello({ port, user: "admin", sudo: false })).toBe("hello");
    expect(await hello({ port, sudo: true })).toBe("hello");
    expect(commands).toEqual(["exec sudo -n sh", "exec sh", "exec sudo -n sh"]);
  });

  test("whose user may not become root says why", async () => {
    const { port } = await server({ path: tools('echo "sudo: a password is required" >&2; exit 1') });
    const { message } = await refusal({ port, user: "admin" });
    expect(message).toBe(
      `127.0.0.1:${port}: cannot become root: sudo: a password is required; let the user run sudo without a password (NOPASSWD), or log in as root`,
    );
  });

  test.each([
    [
      "a terminal",
      'echo "sudo: sorry, you must have a tty to run sudo" >&2; exit 1',
      /cannot become root: sudo: sorry, you must have a tty to run sudo; take `Defaults requiretty` out of its sudoers/,
    ],
    [
      "a password, after a lecture",
      'printf "We trust you have received the usual lecture\\n#1) Respect privacy\\nsudo: a password is required\\n" >&2; exit 1',
      /: cannot become root: sudo: a password is required; let the user run sudo without/,
    ],
    [
      "another user",
      'echo "Sorry, user admin is not allowed to execute /bin/sh as root on web1." >&2; exit 1',
      /cannot become root: Sorry, user admin is not allowed to execute .*; let the user run \/bin\/sh by sudo/,
    ],
  ])("whose sudo wants %s is refused in words, at once", async (_, sudo, words) => {
    const host = await server({ path: tools(sudo) });
    const { message } = await refusal({ port: host.port, user: "admin", dialErrorLimit: 10 });
    expect(message).toMatch(words);
    expect(host.connections).toBe(1);
  });

  test("to a host without sudo says so", async () => {
    const { port } = await server({ path: tools("") });
    expect((await refusal({ port, user: "admin" })).message).toMatch(
      /cannot become root: .*sudo: not found; install sudo there, or log in as root$/,
    );
  });

  test("whose login shell ends at once shows its output", async () => {
    const path = tools();
    const made = await server({ path, greeting: "This account is currently not available.\n" });
    rmSync(join(path, "sh"));
    writeFileSync(join(path, "sh"), "#!/bin/false\n", { mode: 0o755 });
    expect((await refusal({ port: made.port })).message).toMatch(
      /the login succeeded, but the shell ended at once: This account is currently not available\.; see the user's login shell, and ForceCommand/,
    );
  });

  test("takes the key from a file, named here or in the SSH configuration", async () => {
    const { port } = await server();
    const key = file("key", clientKey.private);
    expect(await hello({ port, privateKey: undefined, privateKeyPath: key })).toBe("hello");
    expect(await hello({ port, privateKey: undefined, privateKeyPath: "~/key" })).toBe("hello");
    config("Host 127.0.0.1\n  IdentityFile ~/missing\n  IdentityFile ~/key\n");
    expect(await hello({ port, privateKey: undefined })).toBe("hello");
  });

  test("tries each key that the SSH configuration names, as ssh does", async () => {
    const { port } = await server();
    file("key", clientKey.private);
    file("other", newKey().private);
    config("Host 127.0.0.1\n  IdentityFile ~/other\n  IdentityFile ~/key\n");
    expect(await hello({ port, privateKey: undefined })).toBe("hello");
  });

  test("takes the password", async () => {
    const { port } = await server({ password: secret });
    expect(await hello({ port, privateKey: undefined, password: secret })).toBe("hello");
  });

  test("finds the host's key in known_hosts", async () => {
    const { port } = await server();
    const knownHosts = file("known_hosts", `[127.0.0.1]:${port} ${hostKey.public}\n`);
    expect(await hello({ port, hostKey: undefined, knownHosts })).toBe("hello");
  });

  test("to a host with another key than the expected one is refused", async () => {
    const { port, users } = await server();
    const { message } = await refusal({ port, hostKey: newKey().public });
    expect(message).toBe(
      `127.0.0.1:${port}: its host key is not the expected one (it offers ssh-ed25519 ${fingerprint(Buffer.from(parseHostKey(hostKey.public)?.base64 as string, "base64"))}); if the host was set up anew, replace the key in known_hosts or hostKey; if not, someone may be in between`,
    );
    expect(users).toEqual([]);
  });

  test("to an unknown host is refused, with the key to check", async () => {
    const { port } = await server();
    const { message } = await refusal({ port, hostKey: undefined, knownHosts: file("known_hosts", "") });
    expect(message).toMatch(
      new RegExp(
        `^127\\.0\\.0\\.1:${port}: its host key is not known \\(it offers ssh-ed25519 SHA256:[\\w+/]{43}\\); check the key, then add it \\(ssh-keyscan -p ${port} 127\\.0\\.0\\.1 >> ~/\\.ssh/known_hosts\\) or give it as hostKey$`,
      ),
    );
  });

  test("shows that of several host keys which is known", async () => {
    const rsa = newKey("rsa");
    const ecdsa = newKey("ecdsa");
    const { port } = await server({ otherKeys: [ecdsa, rsa] });
    for (const key of [hostKey, ecdsa, rsa]) {
      const knownHosts = file(
        "known_hosts",
        `[127.0.0.1]:${port} sk-ssh-ed25519@openssh.com AAAA\n[127.0.0.1]:${port} ${key.public}\n`,
      );
      expect(await hello({ port, hostKey: undefined, knownHosts })).toBe("hello");
      expect(await hello({ port, hostKey: `[127.0.0.1]:${port} ${key.public} a comment` })).toBe("hello");
    }
  });

  test("finds the host's key under its alias", async () => {
    const { port } = await server();
    file("known", `web ${hostKey.public}\n`);
    config("Host 127.0.0.1\n  HostKeyAlias web\n  UserKnownHostsFile ~/known\n");
    expect(await hello({ port, hostKey: undefined })).toBe("hello");
  });

  test("to a host whose key was revoked is refused with that reason", async () => {
    const { port, users } = await server();
    const knownHosts = file(
      "known_hosts",
      `[127.0.0.1]:${port} ${hostKey.public}\n@revoked * ${hostKey.public}\n`,
    );
    expect((await refusal({ port, hostKey: undefined, knownHosts })).message).toMatch(
      /its host key was revoked \(it offers ssh-ed25519 SHA256:\S+\); someone may be in between/,
    );
    expect(users).toEqual([]);
  });

  test("to a host of which an authority alone is known says that its certificate does not count", async () => {
    const { port, users } = await server();
    const knownHosts = file("known_hosts", `@cert-authority * ${newKey().public}\n`);
    expect((await refusal({ port, hostKey: undefined, knownHosts })).message).toMatch(
      /its host key is not filed, only an authority for it \(@cert-authority\), and host certificates are not understood \(it offers ssh-ed25519 SHA256:\S+\); check the key, then add it/,
    );
    expect(users).toEqual([]);
  });

  test("to an unknown host is made where that is allowed", async () => {
    const { port } = await server();
    expect(
      await hello({
        port,
        hostKey: undefined,
        knownHosts: file("known_hosts", ""),
        insecureIgnoreHostKey: true,
      }),
    ).toBe("hello");
  });

  test("of another key than its hostKey is refused also where state of an earlier version says to ignore that", async () => {
    const { port, users } = await server();
    const { message } = await refusal({ port, hostKey: newKey().public, insecureIgnoreHostKey: true });
    expect(message).toMatch(/its host key is not the expected one/);
    expect(users).toEqual([]);
  });

  test.each([
    ["signs by", { serverHostKey: ["ssh-rsa"] }],
    [
      "authenticates messages by",
      { cipher: ["aes128-ctr"], hmac: ["hmac-sha1", "hmac-sha1-etm@openssh.com"] },
    ],
    ["exchanges keys by", { kex: ["diffie-hellman-group14-sha1"] }],
  ] as const)("to a host that %s SHA-1 alone is refused, unless that is allowed", async (_, algorithms) => {
    const rsa = newKey("rsa");
    const { port } = await server({ hostKey: rsa, algorithms: algorithms as unknown as Algorithms });
    const { message } = await refusal({ port, hostKey: rsa.public });
    expect(message).toMatch(
      /there is no algorithm in common with its sshd: .*, or, where it knows SHA-1 only, set insecureAllowSha1: true$/,
    );
    expect(await hello({ port, hostKey: rsa.public, insecureAllowSha1: true })).toBe("hello");
  });

  test("with a wrong password is refused", async () => {
    const { port } = await server({ password: "right" });
    const { message } = await refusal({ port, privateKey: undefined, password: secret });
    expect(message).toBe(
      `127.0.0.1:${port}: login as root@127.0.0.1:${port} was refused; check user, privateKeyPath, agent or password, and that \`ssh\` gets in with them (tried the password; it takes publickey, password)`,
    );
  });

  test("with a key that the host does not take is refused, at once", async () => {
    const host = await server();
    const refused = { port: host.port, privateKey: newKey().private, dialErrorLimit: 10 };
    expect((await refusal(refused)).message).toMatch(/was refused; check user/);
    expect(host.connections).toBe(1);
  });

  test("with a key that is none is refused", async () => {
    const { port } = await server();
    expect((await refusal({ port, privateKey: secret })).message).toMatch(
      /^127\.0\.0\.1:\d+: cannot use the private key: /,
    );
  });

  test("with a key file that is not there says which, and what to do", async () => {
    const { port } = await server();
    const { message } = await refusal({ port, privateKey: undefined, privateKeyPath: "~/missing" });
    expect(message).toMatch(
      /^127\.0\.0\.1:\d+: cannot read the private key ~\/missing: there is no such file; name a file with a private key by privateKeyPath$/,
    );
  });

  test("tells a host that is down from one that refuses, also by way of a jump host", async () => {
    const { port } = await server();
    const [away, hostKey] = [await freePort(), newKey().public];
    const jump = { host: "127.0.0.1", privateKey: clientKey.private, dialErrorLimit: 2 };
    const kinds: [Given, boolean][] = [
      [{ port: away }, true],
      [{ port: away, dialErrorLimit: 2 }, true],
      [{ host: "no-such-host.invalid" }, true],
      [{ port, proxy: { ...jump, port: away } }, true],
      [{ port, hostKey }, false],
      [{ port, privateKey: newKey().private }, false],
      [{ port, proxy: { ...jump, port, hostKey } }, false],
    ];
    for (const [given, down] of kinds) expect(isDown(await refusal(given)), JSON.stringify(given)).toBe(down);
  });

  test("to a port that no program listens on says where it tried", async () => {
    const port = await freePort();
    const { message } = await refusal({ port });
    expect(message).toMatch(
      new RegExp(
        `^127\\.0\\.0\\.1:${port}: cannot be reached at root@127\\.0\\.0\\.1:${port}: .*ECONNREFUSED.*; check that it is up, that sshd listens there and that no firewall is between$`,
      ),
    );
  });

  test("to a host that does not answer is given up after the time that was set, and hung up", async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void silent.close());
    let hungUp = false;
    silent.on("connection", (socket) => {
      onTestFinished(() => void socket.destroy());
      socket.resume().on("close", () => {
        hungUp = true;
      });
    });
    const { port } = silent.address() as { port: number };
    const faults = uncaught();
    const { message } = await refusal({ port, perDialTimeout: 1 });
    expect(message).toMatch(/^127\.0\.0\.1:\d+: cannot be reached at root@127\.0\.0\.1:\d+: Timed out/);
    await vi.waitFor(() => expect(hungUp).toBe(true), { timeout: 30_000 });
    // a connection that fails once more when no listener handles it would end the whole process
    expect(faults).toEqual([]);
  });

  test("sends at once what it is given, instead of waiting for an answer to what it sent before", async () => {
    const { port } = await server();
    const setNoDelay = vi.spyOn(Socket.prototype, "setNoDelay");
    onTestFinished(() => setNoDelay.mockRestore());
    expect(await hello({ port })).toBe("hello");
    const ours = setNoDelay.mock.contexts.filter((socket) => (socket as Socket).remotePort === port);
    expect(ours).not.toEqual([]);
  });

  test("is not confused by a banner and by what a profile prints", async () => {
    const { port } = await server({
      banner: "authorised use only\n",
      greeting: "Welcome!\nlvs-000000 done\nno newline",
    });
    expect(await hello({ port })).toBe("hello");
  });
});

/** What would end the process from here on, were it not a test's. */
function uncaught(): Error[] {
  const faults: Error[] = [];
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => faults.push(error));
  onTestFinished(() => {
    process.removeAllListeners("uncaughtException");
    for (const listener of listeners) process.on("uncaughtException", listener);
  });
  return faults;
}
