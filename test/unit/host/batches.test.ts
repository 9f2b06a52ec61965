import { chmodSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Bag } from "../../../providers/engine/inputs.js";
import { realServer } from "../../../providers/real-server/index.js";
import { virtualService } from "../../../providers/virtual-service/index.js";
import { Host } from "../../../src/host/host.js";
import { readingJob } from "../../../src/host/reading.js";
import { fakeHost, resources } from "../../support/fake/engine.js";
import { findProgram } from "../../support/fake/tree.js";

const count = 48;
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

// Six batches of eight are the least. The host is slow, so that the engine's checkpoints are short beside a script.
test("48 real servers of one stack go in batches as full as the engine sends them", async () => {
  const fake = fakeHost();
  fake.write("ipvs", "-A -t 192.168.0.219:80 -s wlc\n");
  fake.remove("tools/flock");
  fake.write("tools/flock", `#!/bin/sh\nsleep 0.4\nexec ${findProgram("flock")} "$@"\n`);
  chmodSync(`${fake.root}/tools/flock`, 0o755);
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
  for (const [what, number] of Object.entries(scripts)) expect(number, what).toBeLessThanOrEqual(8);
});

test("a service and then its server are made with one reading, and deleted with one", async () => {
  const fake = fakeHost();
  const services = resources(virtualService, fake);
  const servers = resources(realServer, fake);
  const service = await services.create({ address: "192.168.0.219", port: 80 });
  const server = await servers.create({
    service: "tcp://192.168.0.219:80",
    address: "192.168.10.1",
    port: 80,
  });
  expect(fake.lines("ipvs")).toHaveLength(2);
  expect(fake.runs).toBe(3);
  await fake.newRun();
  await servers.delete(server.props);
  await services.delete(service.props);
  expect(fake.lines("ipvs")).toEqual([]);
  expect(fake.runs).toBe(3);
});

test("jobs that come while the host is being reached go in the first script", async () => {
  const fake = fakeHost();
  let reach: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const host = new Host("director1", () => reached.then(() => fake.open("director1")));
  const early = host.submit(readingJob("p/s/one", ["table"]));
  // Longer than a job waits for others.
  await sleep(300);
  const late = host.submit(readingJob("p/s/two", ["ledger"]));
  reach();
  await Promise.all([early, late]);
  host.close();
  expect(host.scripts).toBe(1);
});

test("a host that cannot be reached is tried once for all jobs that wait", async () => {
  let tries = 0;
  let fail: () => void = () => undefined;
  const failed = new Promise<void>((resolve) => {
    fail = resolve;
  });
  const host = new Host("director1", async () => {
    tries++;
    await failed;
    throw new Error("no route to host");
  });
  const early = host.submit(readingJob("p/s/1", ["table"]));
  // Longer than a job waits for others.
  await sleep(300);
  const late = host.submit(readingJob("p/s/2", ["table"]));
  fail();
  const results = await Promise.allSettled([early, late]);
  expect(results.map((result) => result.status)).toEqual(["rejected", "rejected"]);
  expect(tries).toBe(1);
});
