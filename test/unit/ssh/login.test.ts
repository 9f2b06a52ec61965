import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { type ParsedKey, utils } from "ssh2";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { sshAgent } from "../../support/fake/ssh-agent.js";
import { clientKey, type Given, hello, ownHome, refusal, secret } from "../../support/fake/ssh-client.js";
import { type KeyPair, newKey, type SshServer } from "../../support/fake/ssh-server.js";

const { path, file, config, server } = ownHome();

/** Nothing but what the test names. */
const bare = { privateKey: undefined };

/** An agent with these keys, at `path("agent")`. */
async function agentWith(...keys: KeyPair[]) {
  const agent = await sshAgent(path("agent"), ...keys);
  onTestFinished(() => agent.close());
  return { agent, agentSocketPath: path("agent") };
}

describe("a private key", () => {
  const rsa = newKey("rsa");
  const ecdsa = newKey("ecdsa");
  const keyObject = (key: KeyPair) =>
    createPrivateKey((utils.parseKey(key.private) as ParsedKey).getPrivatePEM());
  const pem = (key: KeyPair, type: string, passphrase?: string) =>
    keyObject(key)
      .export({ type, format: "pem", ...(passphrase ? { cipher: "aes-128-cbc", passphrase } : {}) } as never)
      .toString();

  test.each<[string, () => { key: KeyPair; text: string }]>([
    ["ed25519 in OpenSSH's form", () => ({ key: clientKey, text: clientKey.private })],
    ["ECDSA in OpenSSH's form", () => ({ key: ecdsa, text: ecdsa.private })],
    ["ECDSA as SEC1", () => ({ key: ecdsa, text: pem(ecdsa, "sec1") })],
    ["RSA in OpenSSH's form", () => ({ key: rsa, text: rsa.private })],
    ["RSA as PKCS#1", () => ({ key: rsa, text: pem(rsa, "pkcs1") })],
    ["RSA as PKCS#8", () => ({ key: rsa, text: pem(rsa, "pkcs8") })],
  ])("of %s lets in, as text and as file", async (_, made) => {
    const { key, text } = made();
    const { port } = await server({ clientKey: key });
    expect(await hello({ port, privateKey: text })).toBe("hello");
    expect(await hello({ port, privateKeyPath: file("key", text) })).toBe("hello");
  });

  test.each<[string, () => { key: KeyPair; text: string }]>([
    [
      "ed25519 in OpenSSH's form",
      () => {
        const key = newKey("ed25519", secret);
        return { key, text: key.private };
      },
    ],
    ["ECDSA as SEC1", () => ({ key: ecdsa, text: pem(ecdsa, "sec1", secret) })],
    ["RSA as PKCS#1", () => ({ key: rsa, text: pem(rsa, "pkcs1", secret) })],
    ["RSA as PKCS#8", () => ({ key: rsa, text: pem(rsa, "pkcs8", secret) })],
  ])("of %s under a passphrase needs it, and the right one", async (_, made) => {
    const { key, text } = made();
    const { port } = await server({ clientKey: key });
    const line = text.split("\n").at(-3) as string;
    expect(await hello({ port, privateKey: text, privateKeyPassword: secret })).toBe("hello");
    expect((await refusal({ port, privateKey: text }, line)).message).toMatch(
      /^127\.0\.0\.1:\d+: cannot use the private key: it needs a passphrase; give privateKeyPassword, or put the key into an SSH agent$/,
    );
    const wrong = { port, privateKeyPath: file("key", text), privateKeyPassword: "not-the-right-one" };
    expect((await refusal(wrong, line, "not-the-right-one")).message).toMatch(
      /^127\.0\.0\.1:\d+: cannot use the private key \S+key: its passphrase is wrong; give the right one as privateKeyPassword$/,
    );
  });

  test.each<[string, () => string, RegExp]>([
    [
      "a certificate",
      () => `ssh-ed25519-cert-v01@openssh.com ${"A".repeat(80)} me`,
      /it is a certificate, which cannot be used here; name the private key itself$/,
    ],
    [
      "a public key",
      () => clientKey.public,
      /it is a public key; name the private key, or put it into an SSH agent$/,
    ],
    [
      "no key at all",
      () => "not a key",
      /it is of no form that is known \(Unsupported key format\); make one by ssh-keygen -t ed25519/,
    ],
    ["half a key", () => clientKey.private.slice(0, 150), /it is of no form that is known/],
    [
      "a form that is not understood",
      () => generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      /it is of no form that is known \(unsupported: PKCS#8 of type ed25519\); .*ssh-keygen/,
    ],
  ])("that is %s is refused in words", async (_, text, words) => {
    const host = await server();
    const refused = { port: host.port, privateKeyPath: file("key", text()) };
    expect((await refusal(refused)).message).toMatch(words);
    expect(host.connections).toBe(0);
  });

  test("that only the SSH configuration names is skipped where it needs a passphrase, and the error says so", async () => {
    const { port } = await server();
    const key = newKey("ed25519", secret);
    config(`Host 127.0.0.1\n  IdentityFile ${file("one", key.private)}\n`);
    expect((await refusal({ port, ...bare })).message).toMatch(
      /there is no key, no agent and no password to log in with \(the key \S+one was passed over: it needs a passphrase\); give privateKeyPath/,
    );
    config(`Host 127.0.0.1\n  IdentityFile ~/one\n  IdentityFile ${file("two", clientKey.private)}\n`);
    expect(await hello({ port, ...bare })).toBe("hello");
  });

  test("that is missing is named together with a host key that is not known", async () => {
    const { port } = await server();
    const unknown = { port, ...bare, hostKey: undefined, knownHosts: file("known_hosts", "") };
    const both = /no password to log in with; give privateKeyPath, .*; the host's key is not known either/;
    expect((await refusal(unknown)).message).toMatch(both);
    expect((await refusal({ port, ...bare })).message).not.toContain("not known either");
  });

  test("with a certificate beside it is tried without it, and a refusal says so", async () => {
    const { port } = await server();
    const privateKeyPath = file("key", newKey().private);
    file("key-cert.pub", "ssh-ed25519-cert-v01@openssh.com AAAA me");
    expect((await refusal({ port, privateKeyPath })).message).toMatch(
      /was refused; check user.* \(tried the key \S+key; the certificate \S+key-cert\.pub is not used; it takes publickey, password\)$/,
    );
  });
});

describe("a password", () => {
  const given = (port: number, more: Given = {}): Given => ({ port, ...bare, password: secret, ...more });

  test("lets in where the host asks for it by keyboard-interactive only", async () => {
    const { port } = await server({ password: secret, takes: ["keyboard-interactive"] });
    expect(await hello(given(port))).toBe("hello");
    expect((await refusal(given(port, { password: "another" }), "another")).message).toMatch(
      /was refused; check user.*\(tried the password; it takes keyboard-interactive\)$/,
    );
  });

  test("is not tried where the host takes none", async () => {
    const { port } = await server({ password: secret, takes: ["publickey"] });
    expect((await refusal(given(port, { privateKey: newKey().private }))).message).toMatch(
      /\(tried the key; it takes publickey\)$/,
    );
  });

  test("is not enough where the host asks more, and is given as no other answer", async () => {
    const { port } = await server({
      password: secret,
      takes: ["keyboard-interactive"],
      questions: ["Password: ", "Verification code: "],
    });
    expect((await refusal(given(port, { dialErrorLimit: 10 }))).message).toMatch(
      /the login requires more than a password: "Verification code:"; log in with a key/,
    );
  });

  test("that has expired is refused at once", async () => {
    const { port } = await server({ password: secret, takes: ["password"], expired: true });
    expect((await refusal(given(port, { dialErrorLimit: 10 }))).message).toMatch(
      /: the password of root has expired; log in by hand and set a new one$/,
    );
  });
});

describe("an agent", () => {
  test("lets in, whether the connection, the SSH configuration or the environment names it", async () => {
    const { port } = await server();
    const { agent, agentSocketPath } = await agentWith(newKey(), newKey("rsa"), clientKey);
    expect(await hello({ port, ...bare, agentSocketPath })).toBe("hello");
    vi.stubEnv("SSH_AUTH_SOCK", agentSocketPath);
    expect(await hello({ port, ...bare })).toBe("hello");
    vi.stubEnv("SSH_AUTH_SOCK", undefined);
    config("Host 127.0.0.1\n  IdentityAgent ~/agent\n");
    expect(await hello({ port, ...bare })).toBe("hello");
    expect(agent.signatures).toBe(3);
  });

  test("with an RSA key lets in", async () => {
    const rsa = newKey("rsa");
    const { port } = await server({ clientKey: rsa });
    expect(await hello({ port, ...bare, ...(await agentWith(rsa)), agent: undefined } as Given)).toBe(
      "hello",
    );
  });

  test("signs nothing by SHA-1, unless that is allowed", async () => {
    const rsa = newKey("rsa");
    const { port } = await server({ clientKey: rsa, silentOnSignatures: true });
    const { agent, agentSocketPath } = await agentWith(rsa);
    for (const given of [{ privateKey: rsa.private }, { ...bare, agentSocketPath }]) {
      expect((await refusal({ port, ...given })).message).toMatch(
        /was refused; .*; a key was passed over: the host takes signatures of RSA keys by SHA-1 only \(insecureAllowSha1\)/,
      );
      expect(agent.signatures).toBe(0);
    }
    expect(await hello({ port, privateKey: rsa.private, insecureAllowSha1: true })).toBe("hello");
    expect(await hello({ port, ...bare, agentSocketPath, insecureAllowSha1: true })).toBe("hello");
  });

  test("whose keys have changed is queried again", async () => {
    const made = await server();
    const { agent, agentSocketPath } = await agentWith(clientKey);
    expect(await hello({ port: made.port, ...bare, agentSocketPath })).toBe("hello");
    const next = newKey();
    made.allow(next);
    agent.keys = [next];
    expect(await hello({ port: made.port, ...bare, agentSocketPath })).toBe("hello");
  });

  test("has the private part of a key that is named by its public part, or needs a passphrase", async () => {
    const { port } = await server();
    const { agent, agentSocketPath } = await agentWith(newKey(), clientKey);
    const locked = newKey("ed25519", secret);
    const named = file("key.pub", clientKey.public);
    expect(await hello({ port, privateKeyPath: named, agentSocketPath })).toBe("hello");
    // the passphrase is not needed then: what stands in the clear tells which key it is
    agent.keys = [clientKey];
    const files = { privateKeyPath: file("locked", locked.private), agentSocketPath };
    expect((await refusal({ port, ...files })).message).toMatch(
      /was refused; .*\(tried the agent; the key \S+locked is left to the agent: it needs a passphrase\)$/,
    );
    expect(agent.signatures).toBe(1);
  });

  test("gives no other key than the named ones by IdentitiesOnly", async () => {
    const made = await server();
    const { agent, agentSocketPath } = await agentWith(newKey(), clientKey);
    vi.stubEnv("SSH_AUTH_SOCK", agentSocketPath);
    config(`Host 127.0.0.1\n  IdentitiesOnly yes\n  IdentityFile ${file("other.pub", newKey().public)}\n`);
    expect((await refusal({ port: made.port, ...bare })).message).toMatch(/was refused/);
    expect(agent.signatures).toBe(0);
    config(`Host 127.0.0.1\n  IdentitiesOnly yes\n  IdentityFile ${file("mine.pub", clientKey.public)}\n`);
    expect(await hello({ port: made.port, ...bare })).toBe("hello");
  });

  test("that is gone is skipped, and named where no other key lets in", async () => {
    const { port } = await server({ password: secret });
    const agentSocketPath = path("nowhere");
    expect(await hello({ port, ...bare, agentSocketPath, password: secret })).toBe("hello");
    expect((await refusal({ port, ...bare, agentSocketPath })).message).toMatch(
      /was refused; .*\(tried the agent; the SSH agent failed: Failed to connect to agent\)$/,
    );
  });
});

describe("credentials by reference", () => {
  test("are looked up in the environment when the host is reached, not before", async () => {
    const key = newKey("ed25519", "the passphrase");
    const { port } = await server({ clientKey: key, password: secret });
    const password = { port, ...bare, passwordEnv: "LVS_TEST_PASSWORD" };
    const keys = { port, privateKeyEnv: "LVS_TEST_KEY", privateKeyPasswordEnv: "LVS_TEST_PASSPHRASE" };
    expect((await refusal(password)).message).toMatch(
      /: the environment variable LVS_TEST_PASSWORD is not set; set it where pulumi runs, or take passwordEnv out of the connection$/,
    );
    vi.stubEnv("LVS_TEST_PASSWORD", secret);
    expect(await hello(password)).toBe("hello");
    vi.stubEnv("LVS_TEST_KEY", key.private);
    vi.stubEnv("LVS_TEST_PASSPHRASE", "the passphrase");
    expect(await hello(keys)).toBe("hello");
    vi.stubEnv("LVS_TEST_PASSPHRASE", "a wrong passphrase");
    expect((await refusal(keys, "a wrong passphrase")).message).toMatch(/its passphrase is wrong/);
  });

  test("may change between two runs: a key file is read anew", async () => {
    const made: SshServer = await server();
    const privateKeyPath = file("key", clientKey.private);
    expect(await hello({ port: made.port, privateKeyPath })).toBe("hello");
    const next = newKey();
    made.allow(next);
    expect((await refusal({ port: made.port, privateKeyPath })).message).toMatch(/was refused/);
    file("key", next.private);
    expect(await hello({ port: made.port, privateKeyPath })).toBe("hello");
  });
});
