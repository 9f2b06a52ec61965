import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Stack } from "../lab/stack.mjs";
import freshBuild from "../support/fake/fresh-build.js";
import { clientKeyIn, SshHost } from "../support/fake/ssh-host.js";

let place: string;
let stack: Stack;
let director: SshHost;
let connection: object;

beforeAll(async () => {
  freshBuild();
  place = mkdtempSync(join(tmpdir(), "lvs-shared-"));
  const { key, path } = clientKeyIn(place);
  director = await SshHost.start(key);
  director.fake.withModules();
  connection = director.connection(path);
  stack = await Stack.ofProgram("", { HOME: place, SSH_AUTH_SOCK: "", LVS_SSH_CONFIG: "/dev/null" });
});

afterAll(async () => {
  await stack?.dispose();
  await director?.dispose();
  rmSync(place, { recursive: true, force: true });
});

/** A cluster at the one VIP. The director is its real server, which it reaches as itself. */
const cluster = (name: string, port: number, more = "") => `
const ${name} = new lvs.DrCluster("${name}", {
  director: { connection, interface: "eth0" },
  vips: ["192.168.0.210"],
  services: [{ port: ${port} }],
  realServers: [{ name: "self", address: "192.168.0.5", connection, ${more} }],
});`;

const program = (...clusters: string[]) =>
  stack.program(`
const connection = ${JSON.stringify(connection)};
${clusters.join("\n")}
exports.services = web.services;`);

test("clusters share a VIP: the first preview knows services, and the VIP stays when the first cluster goes", {
  timeout: 1_800_000,
}, async () => {
  const host = director.fake;
  await program(cluster("web", 80), cluster("mail", 25));
  const preview = await stack.pulumi("preview", "--show-secrets");
  expect(preview.text).toContain("tcp://192.168.0.210:80");
  await stack.up();
  const vips = () => host.owners().filter((owner) => owner.includes("VirtualAddress"));
  expect(vips()).toEqual(["test/program/web-vip-192.168.0.210 VirtualAddress eth0/192.168.0.210"]);
  expect(host.lines("ipvs").filter((line) => line.startsWith("-a"))).toHaveLength(2);
  const before = host.changes().length;
  await program(cluster("mail", 25).replace("const mail", "const web"));
  await stack.up();
  expect(vips()).toEqual(["test/program/mail-vip-192.168.0.210 VirtualAddress eth0/192.168.0.210"]);
  const removals = host
    .changes()
    .slice(before)
    .filter((line) => /^ip .*addr del /.test(line));
  expect(removals).toEqual([]);
  expect(host.lines("addresses").join("\n")).toContain("192.168.0.210");
  await stack.destroy();
  expect(host.lines("ipvs")).toEqual([]);
});
