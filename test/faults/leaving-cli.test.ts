import { expect, test } from "vitest";
import { quiet, updates } from "./harness/real-updates.js";

const { threeHosts, stackOf, keyPath } = updates();

// Ways to leave a stack by the real Pulumi CLI, over SSH.

const program = (connection: object, resources: string): string => `
const connection = ${JSON.stringify(connection)};
const web = new lvs.VirtualService("web", { connection, address: "192.168.0.219", port: 80 });
${resources}`;

const server =
  'new lvs.RealServer("rs", { connection, service: "tcp://192.168.0.219:80", address: "192.168.10.11", port: 80 }, { deletedWith: web, dependsOn: web });';
const vip =
  'new lvs.VirtualAddress("vip", { connection, interface: "eth0", address: "192.168.0.219" }, { dependsOn: web });';

test("what was deleted by hand is gone to a refresh; taken out of the program, it leaves no record", async () => {
  const [host] = await threeHosts();
  const connection = host.connection(keyPath());
  const stack = await stackOf(program(connection, server + vip));
  await stack.up();
  host.fake.write("addresses", host.fake.read("addresses").replace(/.*192\.168\.0\.219.*\n/, ""));

  const { text, code } = await stack.pulumi("refresh", "--preview-only", "--diff", "--expect-no-changes");
  expect(code).not.toBe(0);
  expect(text).toMatch(/\bgone\s*: true/);
  await stack.refresh();
  await stack.refresh("--expect-no-changes");

  // the next up makes it again
  await stack.up();
  expect(host.fake.read("addresses")).toContain("192.168.0.219");
  expect((await stack.pulumi("preview", "--refresh", "--expect-no-changes")).code).toBe(0);

  host.fake.write("addresses", host.fake.read("addresses").replace(/.*192\.168\.0\.219.*\n/, ""));
  await stack.refresh();
  await stack.program(program(connection, server));
  await stack.up();
  expect(host.fake.read("etc/pulumi-lvs/boot")).not.toMatch(/VirtualAddress/);

  // Pulumi deletes the service only; its real server goes along, and so do both records
  expect((await stack.pulumi("destroy", ...quiet)).code).toBe(0);
  expect(host.fake.has("etc/pulumi-lvs")).toBe(false);
  expect(host.fake.lines("ipvs")).toEqual([]);
});

test("pulumi-lvs forget lists over SSH what state forgot, and takes it away", async () => {
  const [host] = await threeHosts();
  const connection = host.connection(keyPath());
  const stack = await stackOf(program(connection, vip));
  await stack.up();
  const urn = (await stack.resources()).find(({ type }) => type.endsWith(":VirtualAddress"))?.urn ?? "";
  expect((await stack.pulumi("state", "delete", urn, "--yes")).code).toBe(0);
  host.fake.write("addresses", host.fake.read("addresses").replace(/.*192\.168\.0\.219.*\n/, ""));

  const { host: name, port, user } = connection as { host: string; port: number; user: string };
  const flags = [name, "--port", String(port), "--user", user, "--private-key-path", keyPath()];
  const trust =
    "hostKey" in connection ? ["--host-key", String(connection.hostKey)] : ["--insecure-ignore-host-key"];
  const listed = await stack.pulumiLvsOfSelected("forget", ...flags, ...trust);
  expect(listed.text).toMatch(
    /^VirtualAddress eth0\/192\.168\.0\.219 of test\/program\/vip: a record, and nothing is there$/m,
  );
  expect(listed.code).toBe(3);
  expect(host.fake.read("etc/pulumi-lvs/boot")).toMatch(/VirtualAddress/);
  const forgotten = await stack.pulumiLvsOfSelected("forget", ...flags, ...trust, "--yes");
  expect(forgotten.code, forgotten.text).toBe(0);
  expect(host.fake.read("etc/pulumi-lvs/boot")).not.toMatch(/VirtualAddress/);
  expect((await stack.pulumiLvsOfSelected("forget", ...flags, ...trust)).code).toBe(0);
});
