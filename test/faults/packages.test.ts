import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

/** A provider in the place of @pulumi/command's, which writes down what it gets. */
const provider = (seen: string) => `
const pulumi = require(${JSON.stringify(require.resolve("@pulumi/pulumi"))});
const { isDeepStrictEqual } = require("node:util");
const note = (verb, bag) => require("node:fs").appendFileSync(${JSON.stringify(seen)}, verb + " " + JSON.stringify(bag) + "\\n");
pulumi.provider.main({
  version: "1.2.1",
  check: async (urn, olds, inputs) => (note("check", inputs), { inputs }),
  diff: async (id, urn, olds, news) => ({
    changes: !isDeepStrictEqual(olds, news),
    replaces: isDeepStrictEqual(olds.triggers, news.triggers) ? [] : ["triggers"],
  }),
  create: async (urn, outs) => (note("create", outs), { id: "one", outs }),
  update: async (id, urn, olds, outs) => (note("update", outs), { outs }),
  delete: async () => note("delete", {}),
}, process.argv.slice(2));
`;

const seen = (): string => readFileSync(join(place, "seen"), "utf8");

const program = (names: string[]): string => `
new lvs.DrCluster("web", {
  director: {
    connection: { host: "127.0.0.1", port: ${server.port}, privateKeyPath: ${JSON.stringify(join(place, "key"))}, knownHosts: ${JSON.stringify(join(place, "hosts"))}, dialErrorLimit: 1 },
    interface: "eth0",
  },
  vips: ["192.168.0.210"],
  services: [{ port: 80 }],
  realServers: [{ address: "192.168.0.221" }],
  packages: { director: ${JSON.stringify(names)} },
});`;

/** Puts pipes in the place of the key and of the known hosts: a preview that opens one never ends. */
const pipes = () => {
  for (const name of ["key", "hosts"]) {
    rmSync(join(place, name), { force: true });
    execFileSync("mkfifo", [join(place, name)]);
  }
};

const files = () => {
  for (const [name, text] of [
    ["key", clientKey.private],
    ["hosts", `[127.0.0.1]:${server.port} ${hostKey.public}\n`],
  ] as const) {
    rmSync(join(place, name), { force: true });
    writeFileSync(join(place, name), text, { mode: 0o600 });
  }
};

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), "lvs-packages-"));
  writeFileSync(join(place, "ssh_config"), "");
  writeFileSync(join(place, "provider.js"), provider(join(place, "seen")));
  const plugin = join(place, "pulumi-resource-command");
  writeFileSync(plugin, `#!/bin/sh\nexec '${process.execPath}' '${place}/provider.js' "$@"\n`, {
    mode: 0o755,
  });
  server = await sshServer({ hostKey, clientKey, shell: () => host.stream() });
  const { Stack } = await import("../lab/stack.mjs");
  stack = await Stack.ofProgram("");
  stack.environment({
    PATH: `${place}:${stack.env.PATH}`,
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

test("a preview of packages reads no file, and shows no change where there is none; up reads them", {
  timeout: 1_800_000,
}, async () => {
  await stack.program(program(["ipvsadm"]));
  pipes();
  expect(await stack.preview()).toMatch(/\+ .*command:remote:Command web-packages-director create/);
  expect(seen()).not.toContain("PRIVATE KEY");

  files();
  await stack.up();
  const created = /^create (.*)$/m.exec(seen())?.[1] ?? "";
  expect(created).toContain(JSON.stringify(clientKey.private));
  expect(created).toContain(hostKey.public.split(" ")[1]);

  pipes();
  await stack.preview("--expect-no-changes");
  await stack.program(program(["ipvsadm", "curl"]));
  expect(await stack.preview()).toMatch(/\+- .*command:remote:Command web-packages-director replace/);
  const plan = await stack.pulumiLvs(["plan"]);
  expect(plan.text).toMatch(/^127\.0\.0\.1:\d+: 1 line\n/);
  expect(plan.text).toContain("  create Command web-packages-director\n    running a command by SSH\n");
  expect(plan.text).toMatch(/\| packages='ipvsadm curl'\n[\s\S]* \| .*apt-get install/);

  // what is installed anew is installed by the credentials of that day
  files();
  const other = newKey();
  server.allow(other);
  writeFileSync(join(place, "key"), other.private);
  await stack.up();
  const [, second = ""] = seen()
    .split("\n")
    .filter((line) => line.startsWith("create "));
  expect(second).toContain(JSON.stringify(other.private));
  expect(second).toContain("ipvsadm curl");
  expect(seen()).not.toMatch(/^update /m);
});
