import { createHmac } from "node:crypto";
import { mkdirSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { commandConnection } from "../../../src/ssh/command-connection.js";
import { type Connection, hostLabel } from "../../../src/ssh/connection.js";
import { lookUp } from "../../../src/ssh/known-hosts.js";
import { type Target, targetOf } from "../../../src/ssh/target.js";
import { ownHome } from "../../support/fake/ssh-client.js";

const { path, file, config } = ownHome();

describe("known hosts", () => {
  const keys = (text: string, host: string, port = 22) =>
    lookUp([file("known_hosts", text)], host, port).keys.map(({ base64 }) => base64);
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

  test("are found by an address of IPv6, and whatever the case of the name", () => {
    expect(keys("2001:db8::1 ssh-ed25519 A\n", "2001:db8::1")).toEqual(["A"]);
    expect(keys("[2001:db8::1]:2222 ssh-ed25519 A\n", "2001:db8::1", 2222)).toEqual(["A"]);
    expect(keys("Web1.Example.com ssh-ed25519 A\n", "web1.example.COM")).toEqual(["A"]);
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

  test("are left out if they were revoked or are those of an authority", () => {
    expect(keys("@revoked web1 ssh-ed25519 A\n@cert-authority web1 ssh-ed25519 B\n", "web1")).toEqual([]);
  });

  test("tell which were revoked, and whether there is an authority", () => {
    const text = "@revoked web1 ssh-ed25519 A\n@cert-authority *.example.com ssh-ed25519 B\n";
    const look = (host: string) => lookUp([file("known_hosts", text)], host, 22);
    expect(look("web1")).toEqual({ keys: [], revoked: ["A"], authority: false });
    expect(look("web1.example.com")).toEqual({ keys: [], revoked: [], authority: true });
  });

  test("are left out if one line revokes them, even if another line has them", () => {
    expect(keys("web1 ssh-ed25519 A\nweb1 ssh-ed25519 B\n@revoked * ssh-ed25519 A\n", "web1")).toEqual(["B"]);
  });

  test("are not found in comments, incomplete lines and missing files", () => {
    expect(keys("# web1 ssh-ed25519 A\n\n   \nweb1 ssh-ed25519\n", "web1")).toEqual([]);
    expect(lookUp([path("nowhere")], "web1", 22)).toEqual({ keys: [], revoked: [], authority: false });
  });
});

describe("the SSH configuration", () => {
  test("reads a file in quotes as one, also with spaces", () => {
    config(
      'Host *\n  IdentityFile "/a  b/key"\n  UserKnownHostsFile "/a b/hosts"\n  IdentityAgent "/c  d"\n',
    );
    expect(targetOf({ host: "web1" })).toMatchObject({
      identityFiles: ["/a  b/key"],
      knownHosts: ["/a b/hosts", "/etc/ssh/ssh_known_hosts"],
      agent: "/c  d",
    });
    config('Host *\n  UserKnownHostsFile "/a b" /c\n');
    expect(targetOf({ host: "web1" }).knownHosts).toEqual(["/a b", "/c", "/etc/ssh/ssh_known_hosts"]);
  });

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
      knownHosts: ["~/hosts", "/etc/ssh/ssh_known_hosts"],
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
      proxy: { label: "other" },
      agent: "sock",
    });
  });

  /** Every host on the way, from the last to the first, as `user@host:port`. */
  const way = (target: Target | undefined): string[] =>
    target ? [`${target.user}@${target.host}:${target.port}`, ...way(target.proxy)] : [];

  test.each([
    ["jump", ["root@jump:22"]],
    ["admin@jump:2200", ["admin@jump:2200"]],
    ["jump:2200", ["root@jump:2200"]],
    ["first,admin@second", ["admin@second:22", "root@first:22"]],
    ["one@first:1, second ,third:3", ["root@third:3", "root@second:22", "one@first:1"]],
    ["[2001:db8::1]:2200", ["root@2001:db8::1:2200"]],
    ["admin@[2001:db8::1]", ["admin@2001:db8::1:22"]],
    ["2001:db8::1", ["root@2001:db8::1:22"]],
    ["ssh://admin@jump:2200", ["admin@jump:2200"]],
    ["name@example.org@jump", ["name@example.org@jump:22"]],
  ])("leads through ProxyJump %s", (jump, hosts) => {
    config(`Host director\n  ProxyJump ${jump}\n`);
    expect(way(targetOf({ host: "director" }).proxy)).toEqual(hosts);
  });

  test("leads through what the jump hosts' own entries name", () => {
    config(
      "Host director\n  ProxyJump second\nHost second\n  HostName 10.0.0.2\n  User two\n  ProxyJump first\nHost first\n  Port 2201\n",
    );
    expect(way(targetOf({ host: "director" }).proxy)).toEqual(["two@10.0.0.2:22", "root@first:2201"]);
  });

  test("is refused where a ProxyCommand would lead there, and says what to write instead", () => {
    config(
      "Host web1\n  ProxyCommand nc -x gate %h %p\nHost web2\n  ProxyCommand nc %h %p\n  ProxyJump gate\nHost web3\n  ProxyCommand none\nHost web4\n  ProxyCommand nc %h %p\n  ProxyJump none\n",
    );
    expect(() => targetOf({ host: "web1" })).toThrow(
      "web1: its ProxyCommand nc -x gate %h %p in the SSH configuration is not supported; name the jump host by ProxyJump there or by proxy in the connection, or write ProxyJump none to connect directly",
    );
    expect(way(targetOf({ host: "web2" }).proxy)).toEqual(["root@gate:22"]);
    for (const host of ["web3", "web4"]) expect(targetOf({ host }).proxy).toBeUndefined();
    expect(way(targetOf({ host: "web1", proxy: { host: "other" } }).proxy)).toEqual(["root@other:22"]);
  });

  test("leads nowhere through ProxyJump none", () => {
    config("Host director\n  ProxyJump none\nHost *\n  ProxyJump jump\n");
    expect(targetOf({ host: "director" }).proxy).toBeUndefined();
    expect(way(targetOf({ host: "web1" }).proxy)).toEqual(["root@jump:22"]);
  });

  test("does not lead from a jump host to itself where an entry is for all hosts", () => {
    config("Host jump\n  User gate\nHost *\n  ProxyJump jump\n");
    expect(way(targetOf({ host: "jump" }))).toEqual(["gate@jump:22"]);
  });

  test("that goes round in a circle is refused, and so is a jump that is none", () => {
    config("Host one\n  ProxyJump two\nHost two\n  ProxyJump one\nHost bad\n  ProxyJump a@[b\n");
    expect(() => targetOf({ host: "one" })).toThrow(
      /^(one|two): goes through more than 8 hosts; see whether entries of ProxyJump/,
    );
    expect(() => targetOf({ host: "bad" })).toThrow('bad: ProxyJump "a@[b" is not a host to go through');
  });

  test("takes what it includes as if it stood there, and then goes on where it was", () => {
    mkdirSync(path("conf.d"));
    file("conf.d/a.conf", "Host web1\n  User included\n  Port 2201\n");
    file("conf.d/b.conf", "Host web2\n  Port 2202\n");
    file("inner", "  HostName 10.0.0.9\n");
    config(
      `Include conf.d/*.conf ~/nowhere\nIdentityFile ~/all\nHost web3\n  Include "${path("inner")}"\n  User three\nHost *\n  User nobody\n`,
    );
    expect(way(targetOf({ host: "web1" }))).toEqual(["included@web1:2201"]);
    expect(way(targetOf({ host: "web2" }))).toEqual(["nobody@web2:2202"]);
    expect(way(targetOf({ host: "web3" }))).toEqual(["three@10.0.0.9:22"]);
    expect(targetOf({ host: "web2" }).identityFiles).toEqual(["~/all"]);
    file("config", "Include config\n");
    expect(() => targetOf({ host: "web1" })).toThrow(/cannot understand the SSH configuration: .* 16 deep/);
  });

  test("fills in tokens and environment variables", () => {
    vi.stubEnv("KEYS", "/keys");
    config(
      `Host web1\n  HostName %h.example.com\n  User admin\n  IdentityFile $\{KEYS}/%n-%r-%p\n  UserKnownHostsFile %d/known-100%%\n`,
    );
    expect(targetOf({ host: "web1" })).toMatchObject({
      host: "web1.example.com",
      identityFiles: ["/keys/web1-admin-22"],
      knownHosts: [path("known-100%"), "/etc/ssh/ssh_known_hosts"],
    });
  });

  test("names no identity file by IdentityFile none", () => {
    config("Host web1\n  IdentityFile none\n");
    expect(targetOf({ host: "web1" }).identityFiles).toEqual([]);
  });

  test.each([
    ["none", undefined],
    ["SSH_AUTH_SOCK", "/nowhere/agent"],
    ["$OTHER", "/other/agent"],
    ["/own/%r", "/own/root"],
  ])("names the agent by IdentityAgent %s", (value, agent) => {
    vi.stubEnv("SSH_AUTH_SOCK", "/nowhere/agent");
    vi.stubEnv("OTHER", "/other/agent");
    config(`Host web1\n  IdentityAgent ${value}\n  IdentitiesOnly yes\n`);
    expect(targetOf({ host: "web1" })).toMatchObject({ agent, identitiesOnly: true });
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
      /^~\/nowhere: cannot read the SSH configuration: there is no such file/,
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

  test("is refused for @pulumi/command where it leads through more than one host", () => {
    config("Host web1\n  ProxyJump first,second\n");
    expect(() => commandConnection({ host: "web1", insecureIgnoreHostKey: true })).toThrow(
      "web1: it is reached by way of first and second, and @pulumi/command goes through one host at most; leave out `packages` and install them by other means",
    );
  });

  test("is resolved for @pulumi/command with secrets of the environment and the agent of the SSH configuration", () => {
    vi.stubEnv("WEB_PASSWORD", "from the environment");
    config("Host web1\n  IdentityAgent /own/agent\n");
    const given = { host: "web1", passwordEnv: "WEB_PASSWORD", insecureIgnoreHostKey: true };
    expect(commandConnection(given)).toMatchObject({
      password: "from the environment",
      agentSocketPath: "/own/agent",
    });
    vi.stubEnv("WEB_PASSWORD", undefined);
    expect(() => commandConnection(given)).toThrow(
      "web1: the environment variable WEB_PASSWORD is not set; set it where pulumi runs, or take passwordEnv out of the connection",
    );
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
