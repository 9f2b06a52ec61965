import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { disconnect, rawServer } from "../support/fake/raw-server.js";

const nasty = "\x1b]0;owned\x07\x1b[2J\u202e\x9b31m\r\n::error::forged\r\n";

test("no value and no host forges a line in what the real CLI prints", async () => {
  const { Stack } = await import("../lab/stack.mjs");
  const port = await rawServer((socket) => {
    socket.write("SSH-2.0-x\r\n");
    socket.once("data", () => socket.end(disconnect(nasty)));
  });
  const stack = await Stack.ofProgram("");
  onTestFinished(() => stack.dispose());
  const config = join(stack.state, "ssh_config");
  writeFileSync(config, "");
  stack.environment({ LVS_SSH_CONFIG: config });
  const connection = {
    host: "127.0.0.1",
    port,
    insecureIgnoreHostKey: true,
    password: "x",
    dialErrorLimit: 1,
  };
  const vip = { connection, interface: "lo", address: "192.168.0.219" };
  const printed = async (kind: string, args: object, ...command: string[]): Promise<string> => {
    await stack.program(`new lvs.${kind}("one", ${JSON.stringify(args)});`);
    const { code, text } = await stack.pulumi(...command);
    expect(code, text).not.toBe(0);
    expect(text.split(/[\n\r\u0085\u2028\u2029]/).filter((line) => line.trim().startsWith("::"))).toEqual([]);
    expect(text.replace(/[\n\r\t]/g, "")).toMatch(/^[^\p{Cc}\u202e]*$/u);
    return text;
  };
  const forged = "lo:1\n::error::";
  expect(await printed("VirtualAddress", { ...vip, label: forged }, "preview")).toContain(
    "label: is not a label such as eth0:1",
  );
  expect(
    await printed("HostRoute", { connection, destination: forged, via: "10.0.0.1" }, "preview"),
  ).toContain('destination: "lo:1\\n::error::" is not an address');
  const cluster = {
    director: { connection, interface: "eth0", dip: "10.0.0.1" },
    vips: ["192.168.0.219"],
    services: [{ port: 80 }],
  };
  const realServers = [{ address: "10.0.0.2", connection }];
  expect(
    await printed("NatCluster", { ...cluster, realServers, returnRoutes: [forged] }, "preview"),
  ).toContain('returnRoutes[0]: "lo:1\\n::error::" is not an address');
  expect(
    await printed(
      "NatCluster",
      { ...cluster, realServers: [{ name: forged, address: "10.0.0.2" }] },
      "preview",
    ),
  ).toContain("realServers[0].name: is not a name: ");
  expect(await printed("VirtualAddress", vip, "up", "--yes", "--skip-preview")).toContain(
    "\\u001b[2J\\u202e\\u009b31m\\u000d\\u000a::error::forged",
  );
}, 300_000);
