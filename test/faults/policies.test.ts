import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { updates } from "./harness/real-updates.js";

const { stackOf } = updates();

// The pack by the real Pulumi CLI, with no host and no network.

const pack = "node_modules/pulumi-lvs/dist/policy/index.js";

const cluster = (weights: readonly number[], more = "") => `
new lvs.DrCluster("web", {
  director: { connection: { host: "director1"${more} }, interface: "eth0" },
  vips: ["192.168.0.210"],
  services: [{ port: 80 }],
  realServers: ${JSON.stringify([
    // the director itself
    { name: "local", address: "192.168.0.10", weight: 0, connection: { host: "director1" } },
    ...weights.map((weight, i) => ({
      ...{ name: `web${i}`, address: `192.168.0.22${i}`, weight },
      // the last one is another program's
      ...(i === weights.length - 1 ? {} : { connection: { host: `web${i}` } }),
    })),
  ])},
});`;

/** A state with three servers, as `pulumi stack export` writes it. */
function state(stack: string): string {
  const urn = (type: string, name: string) => `urn:pulumi:${stack}::test::${type}::${name}`;
  const root = urn("pulumi:pulumi:Stack", `test-${stack}`);
  const ours = (kind: string, name: string, props: object) => {
    const type = `pulumi-nodejs:dynamic/lvs:${kind}`;
    const all = { connection: { host: "director1" }, ...props };
    return { urn: urn(type, name), type, custom: true, id: name, inputs: all, outputs: all, parent: root };
  };
  const service = "tcp://192.168.0.210:80";
  const resources = [
    { urn: root, type: "pulumi:pulumi:Stack", custom: false },
    ours("VirtualService", "web", { protocol: "tcp", address: "192.168.0.210", port: 80, persistence: null }),
    ...[0, 1, 2].map((i) =>
      ours("RealServer", `web${i}`, { service, address: `192.168.0.22${i}`, port: 80, weight: 0 }),
    ),
  ];
  const time = "2026-01-01T00:00:00Z";
  return JSON.stringify({
    version: 3,
    deployment: { manifest: { time, magic: "", version: "" }, resources },
  });
}

test("a preview and an analysed state are refused by the rules of the pack, as they are configured", async () => {
  const stack = await stackOf(cluster([0, 0], ", insecureIgnoreHostKey: true"));
  const inFolder = (name: string, text: string) => {
    const path = join(stack.folder, name);
    writeFileSync(path, text);
    return path;
  };
  expect((await stack.pulumi("stack", "tag", "set", "environment", "prod")).code).toBe(0);
  const preview = (...flags: string[]) => stack.pulumi("preview", "--policy-pack", pack, ...flags);
  const violated = (text: string) =>
    [...text.matchAll(/\[(advisory|mandatory)\] .*? {2}([a-z-]+) {2}\(/g)]
      .map(([, level, name]) => `${name} ${level}`)
      .sort();

  const bad = await preview();
  expect(bad.code, bad.text).not.toBe(0);
  // by this examples/ci/ci.sh tells a broken rule from any other failure
  expect(bad.text).toMatch(/^ *- \[mandatory\] /m);
  expect(violated(bad.text)).toEqual([
    "arp-suppression mandatory",
    "health-monitor mandatory",
    "host-key mandatory",
    "member-with-weight mandatory",
  ]);

  // the server that is left has a weight of 1, of 5 before
  await stack.program(cluster([0, 1]));
  const before = state("program").replaceAll('"weight":0', '"weight":2');
  stack.environment({
    LVS_POLICY_BEFORE: inFolder("before.json", before.replace('"weight":2', '"weight":1')),
  });
  const service = "tcp://192.168.0.210:80";
  const config = {
    "removed-weight": { percent: 20 },
    "arp-suppression": { except: ["192.168.0.221"] },
    "health-monitor": { value: "production" },
    "last-server-protected": "mandatory",
    persistence: { enforcementLevel: "advisory" },
  };
  const configured = await preview("--policy-pack-config", inFolder("policy.json", JSON.stringify(config)));
  expect(configured.code, configured.text).not.toBe(0);
  expect(violated(configured.text)).toEqual([
    "last-server-protected mandatory",
    "persistence advisory",
    "removed-weight mandatory",
  ]);

  const excepted = {
    ...config,
    "removed-weight": { percent: 100 },
    "last-server-protected": { except: [service] },
    persistence: { except: [service] },
  };
  const good = await preview("--policy-pack-config", inFolder("policy.json", JSON.stringify(excepted)));
  expect(good.code, good.text).toBe(0);

  const file = inFolder("state.json", state("program"));
  const analysed = await stack.run("pulumi", ["policy", "analyze", "--file", file, "--policy-pack", pack]);
  expect(analysed.code, analysed.text).not.toBe(0);
  expect(analysed.text).toMatch(/member-with-weight[\s\S]*0 of 3 real servers have a weight above 0/);
});
