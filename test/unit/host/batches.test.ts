import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Bag } from "../../../providers/engine/inputs.js";
import { realServer } from "../../../providers/real-server/index.js";
import { fakeHost, resources } from "../../support/fake/engine.js";

const count = 100;
const parallel = 8;

/** Runs operations as Pulumi's engine does: eight at a time, and a checkpoint, one after another, after each. */
async function byEngine<T>(operation: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  let checkpoints = Promise.resolve();
  const worker = async () => {
    while (next < count) {
      const n = next++;
      results[n] = await operation(n);
      checkpoints = checkpoints.then(() => sleep(10));
      await checkpoints;
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return results;
}

// Thirteen batches of eight are the least.
test("a hundred real servers of one stack go in batches as full as the engine sends them", async () => {
  const fake = fakeHost();
  fake.write("ipvs", "-A -t 192.168.0.219:80 -s wlc\n");
  const kind = resources(realServer, fake);
  const server = (n: number, weight: number) => ({
    service: "tcp://192.168.0.219:80",
    address: `192.168.10.${n + 1}`,
    port: 80,
    weight,
  });
  const scripts: Record<string, number> = {};
  const counted = async <T>(what: string, operation: (n: number) => Promise<T>) => {
    const before = fake.runs;
    const results = await byEngine(operation);
    scripts[what] = fake.runs - before;
    return results;
  };
  const made = await counted("create", (n) => kind.create(server(n, 1)));
  const changed = await counted("update", (n) => kind.update(made[n]?.props as Bag, server(n, 2)));
  await counted("read", (n) => kind.read(changed[n] as Bag));
  await counted("delete", (n) => kind.delete(changed[n] as Bag));
  expect(fake.lines("ipvs")).toHaveLength(1);
  for (const [what, number] of Object.entries(scripts)) expect(number, what).toBeLessThanOrEqual(18);
});
