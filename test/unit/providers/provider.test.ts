import { afterEach, expect, test, vi } from "vitest";
import type { Bag } from "../../../providers/engine/inputs.js";
import { fakeHost } from "../../support/fake/engine.js";

afterEach(() => {
  vi.resetModules();
  vi.doUnmock("../../../src/host/host.js");
});

type Verbs = Record<"create" | "delete", (...args: unknown[]) => Promise<{ outs: Bag }>>;

/** The provider as one run of Pulumi loads it, with one host. */
async function run(fake: ReturnType<typeof fakeHost>, kind: string): Promise<Verbs> {
  vi.resetModules();
  vi.doMock("../../../src/host/host.js", () => ({ hostOf: () => fake.host }));
  const { install } = await import("../../../providers/provider.js");
  const self = { kind };
  install(self);
  return self as unknown as Verbs;
}

const server = (name: string) => ({
  connection: { host: "director1" },
  owner: `p/s/${name}`,
  service: "tcp://192.168.0.219:80",
  address: "192.168.10.1",
  port: 80,
  forwarding: "gatewaying",
  weight: 1,
  drain: null,
});

test("a resource that was renamed stays on its host: the new name takes it over, the old one leaves it", async () => {
  const fake = fakeHost();
  fake.write("ipvs", "-A -t 192.168.0.219:80 -s wlc\n");
  const { outs } = await (await run(fake, "RealServer")).create(server("old"));
  const later = await run(fake, "RealServer");
  const renamed = await later.create(server("new"));
  await later.delete("", outs);
  expect(fake.lines("ipvs")).toHaveLength(2);
  await (await run(fake, "RealServer")).delete("", renamed.outs);
  expect(fake.lines("ipvs")).toHaveLength(1);
});

test("a setting that was renamed stays, and what was found comes back with the new name", async () => {
  const fake = fakeHost();
  const untouched = fake.snapshot();
  const sysctl = (name: string) => ({
    connection: { host: "director1" },
    owner: `p/s/${name}`,
    name: "net.ipv4.ip_forward",
    value: "1",
  });
  const { outs } = await (await run(fake, "Sysctl")).create(sysctl("alt"));
  const later = await run(fake, "Sysctl");
  const renamed = await later.create(sysctl("Köln"));
  await later.delete("", outs);
  expect(fake.sysctl("net/ipv4/ip_forward")).toBe("1");
  await (await run(fake, "Sysctl")).delete("", renamed.outs);
  expect(fake.snapshot()).toBe(untouched);
});

test("what two resources declare is an error of one of them, also where Pulumi creates both at once", async () => {
  const fake = fakeHost();
  fake.write("ipvs", "-A -t 192.168.0.219:80 -s wlc\n");
  const { create } = await run(fake, "RealServer");
  const [first, second] = [create(server("one")), create(server("two"))];
  await expect(second).rejects.toThrow(/is declared twice: by p\/s\/one and by p\/s\/two$/);
  await first;
  expect(fake.owners()).toHaveLength(1);
});

test("what could not be created may be declared again in the same run", async () => {
  const fake = fakeHost();
  const { create } = await run(fake, "RealServer");
  await expect(create(server("one"))).rejects.toThrow(/ipvsadm/);
  fake.write("ipvs", "-A -t 192.168.0.219:80 -s wlc\n");
  await create(server("two"));
  expect(fake.lines("ipvs")).toHaveLength(2);
});
