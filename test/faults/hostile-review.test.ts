import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pulumiEnv } from "../../scripts/pulumi-env.mjs";
import freshBuild from "../support/fake/fresh-build.js";

const checkout = dirname(dirname(__dirname));
let place: string;
let connections = 0;
const host = createServer((socket) => {
  connections++;
  socket.destroy();
});

beforeAll(async () => {
  freshBuild();
  place = mkdtempSync(join(tmpdir(), "lvs-review-"));
  await new Promise<void>((done) => host.listen(0, "127.0.0.1", done));
});

afterAll(async () => {
  await new Promise((done) => host.close(done));
  rmSync(place, { recursive: true, force: true });
});

test("a preview of a hostile pull request of YAML opens no socket, reads no key and prints no secret", async () => {
  const project = join(place, "project");
  const planted = join(place, "planted");
  mkdirSync(join(project, "ci"), { recursive: true });
  mkdirSync(join(planted, ".ssh"), { recursive: true });
  mkdirSync(join(place, "state"));
  for (const name of ["key", "known_hosts", ".ssh/config", ".ssh/id_ed25519", ".ssh/known_hosts"])
    writeFileSync(join(planted, name), "PLANTED-FILE\n");
  for (const part of ["clusters.js", "dist", "node_modules", "package.json"])
    symlinkSync(join(checkout, part), join(project, part));
  cpSync(join(checkout, "Pulumi.yaml"), join(project, "Pulumi.yaml"));
  cpSync(join(checkout, "examples/ci/ci.sh"), join(project, "ci/ci.sh"));
  // the rules of the repository are evaluated as well
  writeFileSync(
    join(project, "ci/policy.json"),
    '{ "arp-suppression": "disabled", "member-with-weight": { "except": ["none"] } }',
  );
  writeFileSync(join(project, ".gitignore"), "clusters.js\nnode_modules\ndist\nplan\n");

  const { port } = host.address() as AddressInfo;
  const env = {
    ...process.env,
    ...pulumiEnv(join(place, "state")),
    ...{
      PULUMI_CONFIG_PASSPHRASE: "planted-passphrase",
      HOME: planted,
      SSH_AUTH_SOCK: join(planted, "agent"),
    },
    ...{ LVS_SSH_CONFIG: join(planted, "key"), LVS_SSH_KEY: "PLANTED-KEY", PLANTED: "PLANTED-VARIABLE" },
    NODE_OPTIONS: "",
    LVS_PLAIN_JAVASCRIPT: "true",
  };
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { cwd: project, env, encoding: "utf8", stdio: "pipe", maxBuffer: 2 ** 26 });
  const git = (...args: string[]) => run("git", "-c", "user.name=t", "-c", "user.email=t@localhost", ...args);

  // the target branch: a stack with a secret
  run("pulumi", "stack", "init", "prod", "--non-interactive");
  run("pulumi", "config", "set", "--secret", "lvs:token", "PLANTED-SECRET", "--stack", "prod");
  const file = join(project, "Pulumi.prod.yaml");
  const before = readFileSync(file, "utf8");
  const secret = /secure: *(\S+)/.exec(before)?.[1];
  git("init", "-q", "-b", "main");
  git("add", ".");
  git("commit", "-qm", "base");

  // the pull request: hosts that answer, files and variables that exist, a jump host, packages, the secret elsewhere
  git("checkout", "-q", "-b", "hostile");
  const connection = (more: string) =>
    `{ host: 127.0.0.1, port: ${port}, privateKeyPath: ${planted}/key, privateKeyPasswordEnv: PLANTED, knownHosts: ${planted}/known_hosts${more} }`;
  writeFileSync(
    file,
    `${before}  lvs:clusters:
    web:
      kind: dr
      director:
        connection: ${connection(`, proxy: { host: 127.0.0.1, port: ${port}, password: { secure: ${secret} } }`)}
        interface: eth0
      vips: [192.168.0.210]
      services: [{ port: 80, health: { check: { path: / } } }]
      realServers:
        - { name: web1, address: 192.168.0.221, connection: ${connection(", password: in-clear-text")} }
      probe: { from: ${connection("")} }
`,
  );
  git("commit", "-qam", "hostile");
  git("checkout", "-q", "main");
  expect(run("ci/ci.sh", "take", "hostile").trim()).toBe("yaml");

  const trace = join(place, "trace");
  const traced = ["-f", "-qq", "--seccomp-bpf", "-s", "300", "-e", "trace=connect,open,openat", "-o", trace];
  const preview = ["sh", "-c", "exec ci/ci.sh preview prod 2>&1"];
  const options = { cwd: project, env, encoding: "utf8", maxBuffer: 2 ** 26 } as const;
  const { status, stdout: text } = spawnSync("strace", [...traced, ...preview], options);
  expect(status, text).toBe(0);
  expect(text).toMatch(/\[advisory\] .* last-server-protected/);
  const calls = readFileSync(trace, "utf8").split("\n");
  const plan = readFileSync(join(project, "plan/prod.md"), "utf8");
  expect(plan).toContain("ipvsadm -A -t 192.168.0.210:80");
  // the trace sees files and sockets
  expect(calls.some((call) => call.includes('Pulumi.prod.yaml"'))).toBe(true);
  expect(calls.some((call) => /connect\(.*127\.0\.0\.1/.test(call))).toBe(true);
  // Pulumi's processes talk over the loopback interface, by ports of their own
  expect(calls.filter((call) => /connect\(.*AF_INET6?/.test(call) && !/127\.0\.0\.1|::1/.test(call))).toEqual(
    [],
  );
  expect(calls.filter((call) => call.includes(`htons(${port})`))).toEqual([]);
  expect(connections).toBe(0);
  expect(calls.filter((call) => call.includes(`"${planted}/`) && !/ENOENT/.test(call))).toEqual([]);
  // the saved plan has the configuration as it is in the file, with encrypted secrets
  const saved = readFileSync(join(project, "plan/prod.json"), "utf8");
  for (const shown of [text, plan, saved]) expect(shown).not.toMatch(/PLANTED-|planted-passphrase/);
  expect(text + plan).not.toContain("in-clear-text");
});
