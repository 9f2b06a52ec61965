import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { commandConnection } from "../../src/command-connection.js";
import { type Connection, hostLabel } from "../../src/connection.js";
import { HostError } from "../../src/host-error.js";
import { fingerprint, knownKeys, parseHostKey } from "../../src/known-hosts.js";
import { RemoteShell } from "../../src/remote-shell.js";
import { openShell } from "../../src/ssh.js";
import { targetOf } from "../../src/ssh-config.js";
import { newKey, type SshServer, sshServer } from "../fake/ssh-server.js";
import { findProgram } from "../fake/tree.js";

let home: string;

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

function file(name: string, text: string): string {
  const path = join(home, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

function config(text: string): void {
  vi.stubEnv("LVS_SSH_CONFIG", file("config", text));
}

describe("known hosts", () => {
  const keys = (text: string, host: string, port = 22) =>
    knownKeys([file("known_hosts", text)], host, port).map(({ base64 }) => base64);
  const hashed = (name: string) => {
    const salt = Buffer.from("a salt of 20 bytes..");
    return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
  };

  test("are found by name, also among several", () => {
    expect(keys("web1 ssh-ed25519 A\nweb2,192.168.0.2 ssh-rsa B comment\n", "192.168.0.2")).toEqual(["B"]);
    expect(keys("web1 ssh-ed25519 A\nweb1 ssh-rsa B\n", "web1")).toEqual(["A", "B"]);
    expect(keys("web11 ssh-ed25519 A\n", "web1")).toEqual([]);
  });

  test("are found by name and port where the port is another than 22", () => {
    expect(keys("[web1]:2222 ssh-ed25519 A\nweb1 ssh-ed25519 B\n", "web1", 2222)).toEqual(["A"]);
    expect(keys("[web1]:2222 ssh-ed25519 A\n", "web1")).toEqual([]);
  });

  test("are found by hash", () => {
    expect(keys(`${hashed("web1")} ssh-ed25519 A\n`, "web1")).toEqual(["A"]);
    expect(keys(`${hashed("[web1]:2222")} ssh-ed25519 A\n`, "web1", 2222)).toEqual(["A"]);
    expect(keys(`${hashed("web1")} ssh-ed25519 A\n`, "web2")).toEqual([]);
  });

  test("are found by pattern, but for what the pattern leaves out", () => {
    const text = "*.example.com,!db.example.com ssh-ed25519 A\nweb? ssh-ed25519 B\n";
    expect(keys(text, "web.example.com")).toEqual(["A"]);
    expect(keys(text, "db.example.com")).toEqual([]);
    expect(keys(text, "webXexample.com")).toEqual([]);
    expect(keys(text, "web1")).toEqual(["B"]);
    expect(keys(text, "web10")).toEqual([]);
    expect(keys("!db ssh-ed25519 A\n", "web1")).toEqual([]);
  });

  test("that were revoked, or are those of an authority, are none", () => {
    expect(keys("@revoked web1 ssh-ed25519 A\n@cert-authority web1 ssh-ed25519 B\n", "web1")).toEqual([]);
  });

  test("that were revoked are none, even where another line files them", () => {
    expect(keys("web1 ssh-ed25519 A\nweb1 ssh-ed25519 B\n@revoked * ssh-ed25519 A\n", "web1")).toEqual(["B"]);
  });

  test("of comments, empty lines and files that are not there are none", () => {
    expect(keys("# web1 ssh-ed25519 A\n\n   \nweb1 ssh-ed25519\n", "web1")).toEqual([]);
    expect(knownKeys([join(home, "nowhere")], "web1", 22)).toEqual([]);
  });
});

describe("the SSH configuration", () => {
  test("says what an alias is", () => {
    config(
      "Host director\n  HostName 192.168.0.5\n  Port 2222\n  User admin\n  IdentityFile ~/one\n  IdentityFile ~/two\n  UserKnownHostsFile ~/hosts\n  HostKeyAlias lvs\n",
    );
    expect(targetOf({ host: "director" })).toMatchObject({
      label: "director",
      host: "192.168.0.5",
      port: 2222,
      user: "admin",
      identityFiles: ["~/one", "~/two"],
      knownHosts: ["~/hosts"],
      hostKeyAlias: "lvs",
      proxy: undefined,
    });
  });

  test("gives way to what the connection says", () => {
    config(
      "Host director\n  HostName 192.168.0.5\n  Port 2222\n  User admin\n  IdentityFile ~/one\n  ProxyJump jump\n",
    );
    expect(
      targetOf({
        host: "director",
        port: 22,
        user: "root",
        privateKeyPath: "~/mine",
        knownHosts: "~/known",
        proxy: { host: "other" },
        agentSocketPath: "sock",
      }),
    ).toMatchObject({
      host: "192.168.0.5",
      port: 22,
      user: "root",
      identityFiles: ["~/mine"],
      knownHosts: ["~/known"],
      proxy: { host: "other" },
      agent: "sock",
    });
  });

  test.each([
    ["jump", { host: "jump" }],
    ["admin@jump:2200", { host: "jump", user: "admin", port: 2200 }],
    ["jump:2200", { host: "jump", port: 2200 }],
    ["first,admin@second", { host: "second", user: "admin" }],
  ])("leads through ProxyJump %s", (jump, proxy) => {
    config(`Host director\n  ProxyJump ${jump}\n`);
    expect(targetOf({ host: "director" }).proxy).toEqual(proxy);
  });

  test("leads nowhere through ProxyJump none", () => {
    config("Host director\n  ProxyJump none\nHost *\n  ProxyJump jump\n");
    expect(targetOf({ host: "director" }).proxy).toBeUndefined();
    expect(targetOf({ host: "web1" }).proxy).toEqual({ host: "jump" });
  });

  test("is read without regard to case, and by patterns", () => {
    config("host web?\n  hostname 10.0.0.1\n  USER admin\nHost *\n  User nobody\n");
    expect(targetOf({ host: "web1" })).toMatchObject({ host: "10.0.0.1", user: "admin" });
    expect(targetOf({ host: "web10" })).toMatchObject({ host: "web10", user: "nobody" });
  });

  test("need not be there, unless it is named", () => {
    vi.stubEnv("LVS_SSH_CONFIG", undefined);
    expect(targetOf({ host: "web1" })).toMatchObject({
      host: "web1",
      port: 22,
      user: "root",
      identityFiles: ["~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"],
      knownHosts: ["~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts"],
    });
    vi.stubEnv("LVS_SSH_CONFIG", "~/nowhere");
    expect(() => targetOf({ host: "web1" })).toThrow(
      /^~\/nowhere: cannot read the SSH configuration: ENOENT/,
    );
  });

  test("names the agent of the environment where the connection names none", () => {
    vi.stubEnv("SSH_AUTH_SOCK", "/nowhere/agent");
    expect(targetOf({ host: "web1" }).agent).toBe("/nowhere/agent");
  });

  test("is resolved for @pulumi/command, which knows nothing of it", () => {
    file("key", "PEM");
    file("hosts", "[10.0.0.1]:2222 ssh-ed25519 A\njump ssh-ed25519 B\n");
    config(
      "Host jump\n  UserKnownHostsFile ~/hosts\nHost web1\n  HostName 10.0.0.1\n  Port 2222\n  IdentityFile ~/key\n  UserKnownHostsFile ~/hosts\n  ProxyJump admin@jump\n",
    );
    expect(commandConnection({ host: "web1", sudo: true, perDialTimeout: 3 })).toEqual({
      host: "10.0.0.1",
      port: 2222,
      user: "root",
      privateKey: "PEM",
      hostKey: "ssh-ed25519 A",
      perDialTimeout: 3,
      proxy: { host: "jump", port: 22, user: "admin", hostKey: "ssh-ed25519 B" },
    });
  });

  test("is refused for @pulumi/command where the host key is not known, because it would take any", () => {
    expect(() => commandConnection({ host: "web1", knownHosts: file("hosts", "") })).toThrow(
      "web1: its host key is not known; add it to known_hosts, or give it as hostKey",
    );
    expect(commandConnection({ host: "web1", insecureIgnoreHostKey: true })).toMatchObject({ host: "web1" });
  });
});

test.each<[Connection, string]>([
  [{ host: "director1" }, "director1"],
  [{ host: "director1", port: 22 }, "director1"],
  [{ host: "director1", port: 2222 }, "director1:2222"],
  [{ host: "2001:db8::1" }, "[2001:db8::1]"],
  [{ host: "2001:db8::1", port: 2222 }, "[2001:db8::1]:2222"],
])("a host is called as one would type it: %j", (given, label) => {
  expect(hostLabel(given)).toBe(label);
});

describe("a connection to a real server of SSH", () => {
  const hostKey = newKey();
  const clientKey = newKey();

  /** A PATH on which everybody is root, and `sudo` is what the text says. */
  function tools(sudo = 'shift; exec "$@"'): string {
    const directory = mkdtempSync(join(home, "tools-"));
    symlinkSync(findProgram("sh") as string, join(directory, "sh"));
    for (const [name, text] of [
      ["id", "echo 0"],
      ["sudo", sudo],
    ] as const)
      writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return directory;
  }

  async function server(options: Partial<Parameters<typeof sshServer>[0]> = {}): Promise<SshServer> {
    const made = await sshServer({ hostKey, clientKey, path: tools(), ...options });
    onTestFinished(() => made.close());
    return made;
  }

  /** Opens a shell, says hello through it, and closes it. */
  async function hello(given: Partial<Connection> & { port: number }): Promise<string> {
    const stream = await openShell({
      host: "127.0.0.1",
      hostKey: hostKey.public,
      privateKey: clientKey.private,
      dialErrorLimit: 1,
      ...given,
    });
    try {
      const shell = await RemoteShell.open("127.0.0.1", stream);
      const output = await shell.run((nonce) => `echo hello; printf '%s done\\n' ${nonce}\n`);
      return /^hello$/m.exec(output)?.[0] ?? output;
    } finally {
      stream.close();
    }
  }

  /** The error, of which every one is one line, of a host, and without secrets. */
  async function refusal(given: Partial<Connection> & { port: number }): Promise<HostError> {
    const error = await hello(given).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(HostError);
    const { message, stack, cause } = error as HostError;
    expect(message.split("\n")).toHaveLength(1);
    for (const secret of ["hunter2", "BEGIN OPENSSH", clientKey.private.split("\n")[2] as string])
      expect(`${message}${stack}${JSON.stringify(cause)}${JSON.stringify(error)}`).not.toContain(secret);
    return error as HostError;
  }

  test("with the right keys gets a shell", async () => {
    const { port, commands, users } = await server();
    expect(await hello({ port })).toBe("hello");
    expect(commands).toEqual(["exec sh"]);
    expect(users).toEqual(["root"]);
  });

  test("becomes root by sudo where the user is not, unless told otherwise", async () => {
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
      "127.0.0.1: cannot become root: sudo: a password is required; let the user run sudo without a password, or log in as root",
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
    const { port } = await server({ password: "hunter2" });
    expect(await hello({ port, privateKey: undefined, password: "hunter2" })).toBe("hello");
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
      `127.0.0.1:${port}: its host key is not the expected one (it offers ssh-ed25519 ${fingerprint(Buffer.from(parseHostKey(hostKey.public).base64, "base64"))}); if the host was set up anew, replace the key in known_hosts or hostKey; if not, someone may be in between`,
    );
    expect(users).toEqual([]);
  });

  test("to a host that nobody knows is refused, with the key to check", async () => {
    const { port } = await server();
    const { message } = await refusal({ port, hostKey: undefined, knownHosts: file("known_hosts", "") });
    expect(message).toMatch(
      new RegExp(
        `^127\\.0\\.0\\.1:${port}: its host key is not known \\(it offers ssh-ed25519 SHA256:[\\w+/]{43}\\); check the key, then add it \\(ssh-keyscan -p ${port} 127\\.0\\.0\\.1 >> ~/\\.ssh/known_hosts\\) or give it as hostKey$`,
      ),
    );
  });

  test("to a host that nobody knows is made where that is said to be right", async () => {
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

  test("with a wrong password is refused", async () => {
    const { port } = await server({ password: "right" });
    const { message } = await refusal({ port, privateKey: undefined, password: "hunter2" });
    expect(message).toBe(
      `127.0.0.1:${port}: login as root@127.0.0.1:${port} was refused; check user, privateKeyPath, agent or password, and that \`ssh\` gets in with them`,
    );
  });

  test("with a key that the host does not take is refused, at once", async () => {
    const { port } = await server();
    const started = Date.now();
    const { message } = await refusal({ port, privateKey: newKey().private, dialErrorLimit: 10 });
    expect(message).toMatch(/was refused; check user/);
    expect(Date.now() - started).toBeLessThan(3000);
  });

  test("with a key that is none is refused", async () => {
    const { port } = await server();
    expect((await refusal({ port, privateKey: "hunter2" })).message).toMatch(
      /^127\.0\.0\.1:\d+: cannot use the private key: /,
    );
  });

  test("with a key file that is not there says which, and what to do", async () => {
    const { port } = await server();
    const { message } = await refusal({ port, privateKey: undefined, privateKeyPath: "~/missing" });
    expect(message).toMatch(
      /^127\.0\.0\.1:\d+: cannot read the private key ~\/missing: ENOENT.*; name a file that is there by privateKeyPath$/,
    );
  });

  test("to a port that nobody listens on says where it tried", async () => {
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
    const started = Date.now();
    const { message } = await refusal({ port, perDialTimeout: 1 });
    expect(message).toMatch(/^127\.0\.0\.1:\d+: cannot be reached at root@127\.0\.0\.1:\d+: Timed out/);
    expect(Date.now() - started).toBeLessThan(4000);
    await vi.waitFor(() => expect(hungUp).toBe(true), { timeout: 1000 });
    // a connection that fails once more when nobody listens to it would end the whole process
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

  test("is tried again as often as was set, until the host is up", async () => {
    const port = await freePort();
    const late = hello({ port, dialErrorLimit: 6 });
    const made = await sshServer({ hostKey, clientKey, path: tools(), port });
    onTestFinished(() => made.close());
    expect(await late).toBe("hello");
  });

  test("goes through a proxy, named here or in the SSH configuration", async () => {
    const inner = await server();
    const outer = await server();
    const proxy = {
      host: "127.0.0.1",
      port: outer.port,
      hostKey: hostKey.public,
      privateKey: clientKey.private,
    };
    expect(await hello({ port: inner.port, proxy })).toBe("hello");
    expect(outer.users).toEqual(["root"]);
    expect(inner.users).toEqual(["root"]);
    file("key", clientKey.private);
    file(
      "hosts",
      `[127.0.0.1]:${inner.port} ${hostKey.public}\n[127.0.0.1]:${outer.port} ${hostKey.public}\n`,
    );
    config(
      `Host inner\n  HostName 127.0.0.1\n  Port ${inner.port}\n  ProxyJump gate@127.0.0.1:${outer.port}\nHost *\n  IdentityFile ~/key\n  UserKnownHostsFile ~/hosts\n`,
    );
    expect(
      await hello({ host: "inner", port: undefined as never, hostKey: undefined, privateKey: undefined }),
    ).toBe("hello");
    expect(outer.users).toEqual(["root", "gate"]);
  });

  test("through a proxy that cannot reach the host says so", async () => {
    const outer = await server();
    const proxy = {
      host: "127.0.0.1",
      port: outer.port,
      hostKey: hostKey.public,
      privateKey: clientKey.private,
    };
    const { message } = await refusal({ host: "127.0.0.2", port: await freePort(), proxy });
    expect(message).toMatch(/^127\.0\.0\.2:\d+: cannot be reached by way of 127\.0\.0\.1: /);
  });

  test("through a proxy that is an impostor is refused", async () => {
    const inner = await server();
    const outer = await server();
    const proxy = {
      host: "127.0.0.1",
      port: outer.port,
      hostKey: newKey().public,
      privateKey: clientKey.private,
    };
    expect((await refusal({ port: inner.port, proxy })).message).toMatch(
      /its host key is not the expected one/,
    );
    expect(outer.users).toEqual([]);
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

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
