import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Answer, Stack } from "../lab/stack.mjs";
import { FakeHost } from "../support/fake/fake-host.js";
import { type KeyPair, newKey, type SshServer, sshServer } from "../support/fake/ssh-server.js";

const hostKey = newKey();
const passphrase = "planted-passphrase-7f3a";
const password = "planted-password-91bc";
const jumpPassword = "planted-jump-password-44d0";
const fromEnvironment = "planted-environment-c52e";
const lockedKey = newKey("ed25519", passphrase);
const keyOf = ({ private: text }: KeyPair): string => text.split("\n")[2] as string;
const planted = [passphrase, password, jumpPassword, fromEnvironment, keyOf(lockedKey)];

/** Where a planted secret stands, if anywhere: also as JSON, base64 and hex have it. */
const found = (text: string, secrets: readonly string[] = planted): string[] =>
  secrets.filter((secret) =>
    [
      secret,
      Buffer.from(secret).toString("base64").replace(/=+$/, ""),
      Buffer.from(secret).toString("hex"),
    ].some((form) => text.includes(form)),
  );

const filesUnder = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

const textUnder = (directory: string): string =>
  filesUnder(directory)
    .map((file) => `${file}\n${readFileSync(file, "latin1")}`)
    .join("\n");

/** A fake host that is reached by real SSH. */
async function hostBySsh(options: Partial<Parameters<typeof sshServer>[0]>) {
  const fake = new FakeHost();
  const server = await sshServer({ hostKey, shell: () => fake.stream(), ...options });
  return { fake, server };
}

type Reached = Awaited<ReturnType<typeof hostBySsh>>;

let place: string;
let stack: Stack;
const hosts: Reached[] = [];
const answers: Answer[] = [];

async function reached(options: Partial<Parameters<typeof sshServer>[0]>): Promise<Reached> {
  const made = await hostBySsh(options);
  hosts.push(made);
  return made;
}

/** Runs the CLI, and keeps what it said. */
async function pulumi(...args: string[]): Promise<Answer> {
  const answer = await stack.pulumi(...args);
  answers.push(answer);
  return answer;
}

/** Lines that show a secret, cut short around it. */
const leaks = (text: string): string[] =>
  text.split("\n").flatMap((line) =>
    found(line).map((secret) => {
      const at = Math.max(0, line.indexOf(secret));
      return `${line.slice(0, 160)} … ${line.slice(Math.max(0, at - 80), at)}${secret}`;
    }),
  );

const up = () => pulumi("up", "--yes", "--skip-preview");

const service = (name: string, { port }: SshServer, credentials: string, at = 80): string => `
new lvs.VirtualService("${name}", {
  connection: { host: "127.0.0.1", port: ${port}, hostKey: "${hostKey.public}", dialErrorLimit: 1, ${credentials} },
  address: "192.168.0.210", port: ${at},
});`;

/** A probe from one host that may ask another, each by secrets of its own. */
const probe = (from: SshServer, director: SshServer): string => `
new lvs.ServiceProbe("probe", {
  connection: { host: "127.0.0.1", port: ${from.port}, hostKey: "${hostKey.public}", dialErrorLimit: 1, password: process.env.PLANTED_PASSWORD },
  url: "http://192.168.0.210/",
  director: { host: "127.0.0.1", port: ${director.port}, hostKey: "${hostKey.public}", dialErrorLimit: 1, privateKey: process.env.PLANTED_KEY, privateKeyPassword: process.env.PLANTED_PASSPHRASE },
});`;

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), "lvs-secrets-"));
  const { Stack } = await import("../lab/stack.mjs");
  stack = await Stack.ofProgram("");
  writeFileSync(join(place, "ssh_config"), "");
  stack.environment({
    SSH_AUTH_SOCK: "",
    HOME: place,
    LVS_SSH_CONFIG: join(place, "ssh_config"),
    LVS_LOG: "trace",
    PLANTED_KEY: lockedKey.private,
    PLANTED_PASSPHRASE: passphrase,
    PLANTED_PASSWORD: password,
    PLANTED_JUMP_PASSWORD: jumpPassword,
    PLANTED_BY_NAME: fromEnvironment,
  });
});

afterAll(async () => {
  await stack?.dispose();
  for (const { fake, server } of hosts) {
    await server.close();
    await fake.dispose();
  }
  rmSync(place, { recursive: true, force: true });
});

describe("secrets, through the whole life of a stack of the real CLI", () => {
  test("are nowhere: not in state, in what is printed, in process lists, or on the host", async () => {
    const byKey = await reached({ clientKey: lockedKey });
    const byPassword = await reached({ password });
    const byName = await reached({ password: fromEnvironment });
    const jump = await reached({ password: jumpPassword });
    const proxy = `proxy: { host: "127.0.0.1", port: ${jump.server.port}, hostKey: "${hostKey.public}", password: process.env.PLANTED_JUMP_PASSWORD }`;
    await stack.program(
      [
        service(
          "key",
          byKey.server,
          "privateKey: process.env.PLANTED_KEY, privateKeyPassword: process.env.PLANTED_PASSPHRASE",
        ),
        service("password", byPassword.server, `password: process.env.PLANTED_PASSWORD, ${proxy}`),
        service("name", byName.server, 'passwordEnv: "PLANTED_BY_NAME"'),
        probe(byPassword.server, byKey.server),
      ].join("\n"),
    );

    byPassword.fake.write("replies", "0 200 41000 rs1\n");
    byPassword.fake.write("way", "192.168.0.210 dev eth0 src 192.168.0.100\n");
    byKey.fake.write("flows", "");

    // a tool of the host that looks around while a script runs
    const seen = join(place, "seen");
    const tool = readFileSync(join(byKey.fake.root, "tools/ipvsadm"), "utf8");
    byKey.fake.remove("tools/ipvsadm");
    byKey.fake.write(
      "tools/ipvsadm",
      tool.replace(
        "\n",
        `\ncat /proc/[0-9]*/cmdline /proc/$$/environ /proc/$PPID/environ >>${seen} 2>/dev/null\n`,
      ),
    );
    chmodSync(join(byKey.fake.root, "tools/ipvsadm"), 0o755);

    for (const command of [["preview"], ["up", "--yes"], ["refresh", "--yes"]]) {
      const answer = await pulumi(...command);
      expect(answer.code, answer.text).toBe(0);
    }
    for (const { fake } of [byKey, byPassword, byName])
      expect(fake.lines("ipvs")).toEqual(["-A -t 192.168.0.210:80 -s wlc"]);
    expect(found(textUnder(stack.state))).toEqual([]);
    const exported = await stack.pulumi("stack", "export");
    expect(exported.text).toContain('"passwordEnv"');
    expect(found(exported.text)).toEqual([]);

    const destroyed = await pulumi("destroy", "--yes");
    expect(destroyed.code, destroyed.text).toBe(0);
    for (const { fake } of [byKey, byPassword, byName]) expect(fake.lines("ipvs")).toEqual([]);

    const printed = answers.map(({ text }) => text).join("\n");
    expect(printed).toMatch(/lvs: 127\.0\.0\.1:\d+: connection \d/);
    expect(leaks(printed)).toEqual([]);
    const around = readFileSync(seen, "latin1");
    expect(around).toContain("vitest");
    expect(found(around)).toEqual([]);
    for (const { fake, server } of hosts) {
      expect(found(server.received)).toEqual([]);
      expect(found(textUnder(fake.root))).toEqual([]);
    }
    expect(byKey.server.received).toContain("ipvsadm");
    expect(found(textUnder(stack.state))).toEqual([]);
  });

  test("are in no error, whatever went wrong with them", async () => {
    const host = await reached({ clientKey: newKey(), password: "another" });
    const wrong: [string, string, RegExp][] = [
      ["a password", "password: process.env.PLANTED_PASSWORD", /was refused; check user/],
      ["a name", 'passwordEnv: "PLANTED_BY_NAME"', /was refused; check user/],
      [
        "a key",
        "privateKey: process.env.PLANTED_KEY, privateKeyPassword: process.env.PLANTED_PASSPHRASE",
        /was refused; check user/,
      ],
      [
        "a passphrase",
        "privateKey: process.env.PLANTED_KEY, privateKeyPassword: process.env.PLANTED_PASSWORD",
        /its passphrase is wrong/,
      ],
      ["no passphrase", "privateKey: process.env.PLANTED_KEY", /it needs a passphrase/],
      [
        "half a key",
        "privateKey: process.env.PLANTED_KEY.slice(0, 200)",
        /cannot use the private key: it is of no form/,
      ],
      [
        "a key for a file's name",
        "privateKeyPath: process.env.PLANTED_KEY",
        /connection\.privateKeyPath .*has a problem: is not the name of a file \(a key itself goes in privateKey\)/,
      ],
      [
        "a key for a host's key",
        "hostKey: process.env.PLANTED_KEY",
        /connection\.hostKey .*has a problem: is not a public key/,
      ],
    ];
    const named = wrong.map(([name, credentials], i) =>
      service(name.replaceAll(/\W/g, ""), host.server, credentials, 81 + i),
    );
    for (const [at, [, , words]] of [...wrong.entries()].slice(-2)) {
      await stack.program(named[at] as string);
      const checked = await pulumi("preview");
      expect(checked.code).not.toBe(0);
      expect(checked.text).toMatch(words);
      expect(leaks(checked.text)).toEqual([]);
    }
    await stack.program(named.slice(0, -2).join("\n"));
    const failed = await pulumi("up", "--yes", "--skip-preview", "--continue-on-error");
    expect(failed.code).not.toBe(0);
    for (const [, , words] of wrong.slice(0, -2)) expect(failed.text).toMatch(words);
    expect(leaks(failed.text)).toEqual([]);
    expect(found(textUnder(stack.state))).toEqual([]);
  });
});

describe("credentials by reference", () => {
  test("are nowhere, even in Pulumi's own log at its loudest", async () => {
    const byName = await reached({ password: fromEnvironment });
    await stack.program(service("loud", byName.server, 'passwordEnv: "PLANTED_BY_NAME"'));
    for (const command of [
      ["up", "--yes"],
      ["refresh", "--yes"],
      ["destroy", "--yes"],
    ]) {
      const answer = await pulumi(...command, "--logtostderr", "-v=9");
      expect(answer.code).toBe(0);
      expect(answer.text.includes('"v":9')).toBe(true);
      expect(leaks(answer.text)).toEqual([]);
    }
  });

  test("may change between up and destroy: the key file is read anew", async () => {
    const [first, second] = [newKey(), newKey()];
    const byFile = await reached({ clientKey: first });
    const file = join(place, "key");
    writeFileSync(file, first.private, { mode: 0o600 });
    await stack.program(service("file", byFile.server, `privateKeyPath: "${file}"`));
    const made = await up();
    expect(made.code, made.text).toBe(0);

    byFile.server.allow(second);
    const stale = await pulumi("destroy", "--yes", "--skip-preview");
    expect(stale.code).not.toBe(0);
    expect(stale.text).toMatch(/cannot delete tcp:\/\/192\.168\.0\.210:80 .*was refused/);
    expect(byFile.fake.lines("ipvs")).toHaveLength(1);

    writeFileSync(file, second.private, { mode: 0o600 });
    const destroyed = await pulumi("destroy", "--yes", "--skip-preview");
    expect(destroyed.code, destroyed.text).toBe(0);
    expect(byFile.fake.lines("ipvs")).toEqual([]);
  });
});

describe("secrets of the configuration", () => {
  const inConfiguration = ["planted-body-0d31", "planted-name-77e2", password];
  let configured: Stack;

  const set = async (path: string, value: string, ...flags: string[]) => {
    const answer = await configured.pulumi(
      "config",
      "set",
      "--path",
      `clusters.web.${path}`,
      value,
      ...flags,
    );
    expect(answer.code, answer.text).toBe(0);
  };

  /** Whatever the CLI says and keeps; the file of the stack has what is encrypted. */
  const preview = async () => {
    const answer = await configured.pulumi("preview", "--json", "--show-secrets=false");
    expect(leaksOf(answer.text + textUnder(configured.state))).toEqual([]);
    return answer;
  };
  const leaksOf = (text: string) => found(text, inConfiguration);

  test("are kept where a connection has them, and refused with their place elsewhere", {
    timeout: 1_800_000,
  }, async () => {
    const [host, server, client] = [
      await reached({ password }),
      await reached({ password }),
      await reached({ password }),
    ];
    client.fake.write("replies", "0 200 41000 rs1\n");
    client.fake.write("way", "192.168.0.210 dev eth0 src 192.168.0.100\n");
    host.fake.write("flows", "");
    const { Stack } = await import("../lab/stack.mjs");
    configured = await Stack.ofProgram(
      "for (const [name, { kind, ...args }] of Object.entries(lvs.requireClusters())) new lvs.DrCluster(name, args);",
      { SSH_AUTH_SOCK: "", HOME: place, LVS_SSH_CONFIG: join(place, "ssh_config") },
      "secret",
    );
    try {
      for (const [path, value] of [
        ["kind", "dr"],
        ["director.interface", "eth0"],
        ["vips[0]", "192.168.0.210"],
        ["services[0].port", "80"],
        ["services[0].health.check.body", "OK"],
        ["realServers[0].name", "one"],
        ["realServers[0].address", "192.168.0.221"],
        ["services[0].realServers[0]", "one"],
        ["services[0].realServers[1].address", "192.168.0.222"],
      ] as const)
        await set(path, value);
      for (const [at, { port }] of [
        ["director.connection", host.server],
        ["services[0].realServers[1].connection", server.server],
        ["probe.from", client.server],
      ] as const) {
        await set(`${at}.host`, "127.0.0.1");
        await set(`${at}.port`, String(port));
        await set(`${at}.hostKey`, hostKey.public);
        await set(`${at}.password`, password, "--secret");
      }
      const kept = await preview();
      expect(kept.code, kept.text).toBe(0);

      await set("services[0].health.check.body", inConfiguration[0] as string, "--secret");
      await set("realServers[0].name", inConfiguration[1] as string, "--secret");
      await set("director.connection.user", "root", "--secret");
      const refused = await preview();
      expect(refused.code).not.toBe(0);
      for (const at of ["services[0].health.check.body", "realServers[0].name", "director.connection.user"])
        expect(refused.text).toContain(
          `clusters.web.${at}: is a secret, and only password, privateKey, privateKeyPassword of a connection are kept secret; set it without --secret`,
        );
      expect(refused.text).not.toContain("director.connection.password");

      await set("services[0].health.check.body", "OK");
      await set("realServers[0].name", "one");
      await set("director.connection.user", "root");
      const made = await configured.pulumi("up", "--yes", "--skip-preview");
      expect(made.code, made.text).toBe(0);
      expect(leaksOf(made.text + textUnder(configured.state))).toEqual([]);
      const gone = await configured.pulumi("destroy", "--yes", "--skip-preview");
      expect(gone.code, gone.text).toBe(0);
    } finally {
      await configured.dispose();
    }
  });
});
