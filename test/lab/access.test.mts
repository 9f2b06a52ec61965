import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { RemoteShell } from "../../src/host/remote-shell.js";
import type { Connection } from "../../src/ssh/connection.js";
import { openShell } from "../../src/ssh/open-shell.js";
import { until } from "../support/machines/command.mts";
import { run, secretaryPassword, sshConfigPath } from "../support/machines/lab.mts";
import { disposing, onLab } from "./setup.mts";
import { Stack } from "./stack.mts";

const program = (connection: string) => `
new lvs.VirtualService("web", { connection: { host: "director", ${connection} }, address: "192.168.0.210", port: 80 });
`;

/** Says hello through a shell of our own, as root. */
async function hello(connection: Connection): Promise<string> {
  const stream = await openShell({ dialErrorLimit: 1, ...connection });
  try {
    const shell = await RemoteShell.open(connection.host, stream);
    const output = await shell.run((nonce) => `hostname; printf '%s done\\n' ${nonce}\n`);
    return output.split("\n")[0] as string;
  } finally {
    stream.close();
  }
}

onLab("safe access to a real sshd", () => {
  const keep = disposing();
  const passphrase = "planted-passphrase-7f3a";
  let place: string;
  let agent: ChildProcess | undefined;

  const path = (name: string) => join(place, name);
  const keygen = (name: string, ...options: string[]) => {
    execFileSync("ssh-keygen", ["-q", "-f", path(name), "-C", `access-${name}`, ...options]);
    return path(name);
  };
  /** Lets the key in as root, in place of one of the same name. */
  const allow = (name: string) =>
    run(
      "director",
      `sed -i '/ access-${name}$/d' ~/.ssh/authorized_keys\necho '${readFileSync(path(`${name}.pub`), "utf8").trim()}' >>~/.ssh/authorized_keys`,
    );

  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), "lvs-access-"));
    // the lab on User-Mode Linux does without PAM elsewhere
    for (const host of ["client", "director", "rs1"] as const)
      await run(host, "rm -f /etc/ssh/sshd_config.d/uml.conf; systemctl reload ssh");
    // the machines once more, as they see one another; their keys are filed under the ports of this computer
    const lab = readFileSync(sshConfigPath(), "utf8");
    const portOf = (host: string) => new RegExp(`^Host ${host}\\n[\\s\\S]*?Port (\\d+)`, "m").exec(lab)?.[1];
    const [, identity = ""] = /^ *IdentityFile "?(.+?)"?$/m.exec(lab) ?? [];
    const inside = (name: string, address: string, host: string, jumps: string) =>
      [
        `Host ${name}`,
        `  HostName ${address}`,
        "  User root",
        `  IdentityFile "${identity}"`,
        `  UserKnownHostsFile "${join(dirname(sshConfigPath()), "known_hosts")}"`,
        `  HostKeyAlias [127.0.0.1]:${portOf(host)}`,
        `  ProxyJump ${jumps}`,
        "",
      ].join("\n");
    writeFileSync(
      path("ssh_config"),
      [
        `Include "${sshConfigPath()}"`,
        inside("rs1-outside", "192.168.0.221", "rs1", "client"),
        inside("director-one-hop", "192.168.0.200", "director", "client"),
        inside("director-inside", "192.168.10.10", "director", "client,rs1-outside"),
      ].join("\n"),
    );
    vi.stubEnv("LVS_SSH_CONFIG", path("ssh_config"));
    vi.stubEnv("SSH_AUTH_SOCK", "");
  });

  afterAll(async () => {
    vi.unstubAllEnvs();
    agent?.kill();
    await run("director", "sed -i '/ access-/d' ~/.ssh/authorized_keys");
    await rm(place, { recursive: true, force: true });
  });

  describe("a key by ssh-keygen", () => {
    it.each([
      ["ed25519", ["-t", "ed25519"]],
      ["ecdsa", ["-t", "ecdsa"]],
      ["rsa", ["-t", "rsa", "-b", "2048"]],
      ["rsa-pem", ["-t", "rsa", "-b", "2048", "-m", "PEM"]],
      ["rsa-pkcs8", ["-t", "rsa", "-b", "2048", "-m", "PKCS8"]],
    ])("lets in, with a passphrase and without: %s", async (name, options) => {
      const plain = keygen(name, "-N", "", ...options);
      await allow(name);
      expect(await hello({ host: "director", privateKeyPath: plain })).toBe("director");
      const locked = `${name}-locked`;
      const file = keygen(locked, "-N", passphrase, ...options);
      await allow(locked);
      const given = { host: "director", privateKeyPath: file };
      expect(await hello({ ...given, privateKeyPassword: passphrase })).toBe("director");
      await expect(hello(given)).rejects.toThrow(/it needs a passphrase/);
      await expect(hello({ ...given, privateKeyPassword: "wrong" })).rejects.toThrow(
        /its passphrase is wrong/,
      );
    });

    it("lets in by ssh-agent, also where the file needs a passphrase that is not given", async () => {
      const socket = path("agent");
      agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
      await until("ssh-agent", 10, async () => {
        try {
          execFileSync("ssh-add", ["-l"], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: "pipe" });
          return true;
        } catch (error) {
          // 1: it is there and empty
          return (error as { status?: number }).status === 1 ? true : undefined;
        }
      });
      const file = keygen("agent-key", "-t", "ed25519", "-N", "");
      await allow("agent-key");
      execFileSync("ssh-add", [file], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: "pipe" });
      execFileSync("ssh-keygen", ["-q", "-p", "-P", "", "-N", passphrase, "-f", file]);
      expect(await hello({ host: "director", privateKeyPath: file, agentSocketPath: socket })).toBe(
        "director",
      );
      const certified = { host: "director", privateKeyPath: `${file}.pub`, agentSocketPath: socket };
      expect(await hello(certified)).toBe("director");
    });
  });

  it("a password lets in a user who has nothing else, and sudo makes him root", async () => {
    vi.stubEnv("LVS_LAB_PASSWORD", await secretaryPassword());
    const given = { host: "director", user: "secretary", privateKeyPath: undefined };
    expect(await hello({ ...given, passwordEnv: "LVS_LAB_PASSWORD" })).toBe("director");
    await expect(hello({ ...given, password: "wrong" })).rejects.toThrow(
      /login as secretary@.* was refused.*tried .*the password/,
    );
    expect(await hello({ host: "director", user: "operator" })).toBe("director");
    await expect(hello({ host: "director", user: "plain" })).rejects.toThrow(/cannot become root: sudo: /);
  });

  it("sudo that wants a terminal is told in words", async () => {
    await run(
      "director",
      "echo 'Defaults:operator requiretty' >/etc/sudoers.d/access; chmod 440 /etc/sudoers.d/access",
    );
    try {
      await expect(hello({ host: "director", user: "operator" })).rejects.toThrow(
        /cannot become root: sudo: .*tty.*; take `Defaults requiretty` out of its sudoers/,
      );
    } finally {
      await run("director", "rm /etc/sudoers.d/access");
    }
  });

  it("jump hosts lead to it: one, two, and nested in the connection", async () => {
    expect(await hello({ host: "director-one-hop" })).toBe("director");
    expect(await hello({ host: "director-inside" })).toBe("director");
    const nested = { host: "rs1-outside", proxy: { host: "client" } };
    expect(await hello({ host: "director-inside", proxy: nested })).toBe("director");
  });

  it("a jump host is connected to once for all behind it", async () => {
    const logins = async () =>
      Number((await run("client", "journalctl -u ssh --no-pager | grep -c 'Accepted ' || true")).stdout);
    const before = await logins();
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => hello({ host: "director-one-hop", dialErrorLimit: 5 })),
    );
    expect(answers).toEqual(["director", "director", "director", "director"]);
    // none, where the connection of a test before is still kept
    expect((await logins()) - before).toBeLessThanOrEqual(1);
  });

  it("an sshd that takes one session and few logins at once is enough", async () => {
    const file = "/etc/ssh/sshd_config.d/access.conf";
    await run("director", `printf 'MaxSessions 1\\nMaxStartups 2:50:4\\n' >${file}; systemctl reload ssh`);
    try {
      const users = ["root", "operator", "root", "operator", "root", "operator"];
      const answers = await Promise.all(
        users.map((user) => hello({ host: "director", user, dialErrorLimit: 10 })),
      );
      expect(answers).toEqual(users.map(() => "director"));
    } finally {
      await run("director", `rm ${file}; systemctl reload ssh`);
    }
  });

  it("a key that is replaced between up and destroy does not matter", async () => {
    keygen("rotation", "-t", "ed25519", "-N", "");
    await allow("rotation");
    const stack = keep(await Stack.ofProgram(program(`privateKeyPath: ${JSON.stringify(path("rotation"))}`)));
    stack.environment({ SSH_AUTH_SOCK: "" });
    await stack.up();
    expect((await run("director", "ipvsadm -Sn")).stdout).toBe("-A -t 192.168.0.210:80 -s wlc\n");
    await rm(path("rotation"));
    await rm(path("rotation.pub"));
    keygen("rotation", "-t", "ed25519", "-N", "");
    const { code, text } = await stack.pulumi("destroy", "--yes", "--skip-preview");
    expect(code).not.toBe(0);
    expect(text).toMatch(/login as root@.* was refused/);
    await allow("rotation");
    await stack.destroy();
    expect((await run("director", "cat /proc/net/ip_vs")).stdout).not.toMatch(/TCP/);
  });

  it("leaves no secret on the host, neither in files nor in processes nor in the journal", async () => {
    const password = await secretaryPassword();
    const file = keygen("planted", "-t", "ed25519", "-N", passphrase);
    await allow("planted");
    const keyLine = readFileSync(file, "utf8").split("\n")[2] as string;
    const secrets = [password, passphrase, keyLine];
    const stack = keep(
      await Stack.ofProgram(`
new lvs.VirtualService("one", { connection: { host: "director", user: "secretary", password: process.env.PLANTED }, address: "192.168.0.210", port: 81 });
new lvs.VirtualService("two", { connection: { host: "director", privateKey: process.env.PLANTED_KEY, privateKeyPassword: process.env.PLANTED_PASSPHRASE }, address: "192.168.0.210", port: 82 });
`),
    );
    stack.environment({
      SSH_AUTH_SOCK: "",
      LVS_LOG: "debug",
      PLANTED: password,
      PLANTED_KEY: readFileSync(file, "utf8"),
      PLANTED_PASSPHRASE: passphrase,
    });
    // both scripts wait for the lock while we look
    await run(
      "director",
      "umask 077; nohup flock -x /run/pulumi-lvs.lock sh -c 'while [ ! -e /tmp/go ]; do sleep 0.2; done' >/dev/null 2>&1 &",
    );
    const going = stack.pulumi("up", "--yes", "--skip-preview");
    try {
      // the shell of root and of secretary, his sudo, a subshell of each for the script, and the one that asks
      await until("two scripts on the director", 60, async () => {
        const { stdout } = await run("director", "pgrep -c -f '^(sudo -n )?sh$' || true");
        return Number(stdout) >= 6 ? true : undefined;
      });
      const { stdout: processes } = await run(
        "director",
        "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' ' '",
      );
      expect(processes).toContain("sshd");
      for (const secret of secrets) expect(processes.includes(secret)).toBe(false);
    } finally {
      await run("director", "touch /tmp/go");
    }
    const { code, text } = await going;
    expect(code, text).toBe(0);
    for (const secret of secrets) expect(text.includes(secret)).toBe(false);
    // the patterns come by standard input, so that the search does not find itself
    const { stdout: files } = await run(
      "director",
      `rm /tmp/go\ngrep -rlsFf /dev/stdin /etc /run /tmp /var /root <<'END' || true\n${secrets.join("\n")}\nEND\n`,
      { timeoutSeconds: 600 },
    );
    expect(files).toBe("");
    const { stdout: journal } = await run("director", "journalctl --no-pager");
    expect(journal).toContain("secretary");
    for (const secret of secrets) expect(journal.includes(secret)).toBe(false);
    const state = await stack.pulumi("stack", "export");
    for (const secret of secrets) expect(state.text.includes(secret)).toBe(false);
    await stack.destroy();
  });
});
