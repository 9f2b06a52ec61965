import { createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { silentIn } from "../../../cli/down/silence.js";
import type { Group } from "../../../cli/failover/instances.js";
import { newKey } from "../../support/fake/ssh-server.js";

test("a director that never answers is waited for within a limit, and a line says so", async () => {
  const mute = createServer((socket) => onTestFinished(() => void socket.destroy()));
  await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void mute.close());
  const { port } = mute.address() as { port: number };
  const connection = {
    host: "127.0.0.1",
    port,
    password: "x",
    hostKey: newKey().public,
    dialErrorLimit: -1,
  };
  const host = `127.0.0.1:${port}`;
  const groups = [{ instances: [0, 1].map(() => ({ host, connection })) }] as unknown as Group[];
  const lines: string[] = [];
  const silent = await silentIn(groups, { log: (line) => lines.push(line), quiet: 0.05, most: 0.5 });
  expect([...silent]).toEqual([[host, { why: "no answer within 0.5 s", isDown: true }]]);
  expect(lines).toEqual([`waiting for ${host} to answer`]);
});
