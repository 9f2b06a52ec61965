import { afterEach, describe, expect, test, vi } from "vitest";
import type { Bag } from "../../../providers/engine/inputs.js";
import { serviceProbe } from "../../../providers/service-probe/index.js";
import * as errors from "../../../src/errors.js";
import { fakeHost } from "../../support/fake/engine.js";

afterEach(() => {
  vi.resetModules();
  vi.doUnmock("../../../src/host/host.js");
  vi.doUnmock("../../../src/errors.js");
});

type Verbs = Record<"create" | "update" | "delete", (...args: unknown[]) => Promise<{ outs: Bag }>>;

/** The provider as one run of Pulumi loads it, with one host. */
async function run(fake: ReturnType<typeof fakeHost>, kind: string): Promise<Verbs> {
  vi.resetModules();
  vi.doMock("../../../src/host/host.js", () => ({ hostOf: () => fake.host }));
  // The fake host throws the errors of this module.
  vi.doMock("../../../src/errors.js", () => errors);
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
  await expect(second).rejects.toThrow(
    "cannot create tcp://192.168.0.219:80/192.168.10.1:80 on director1: it is declared twice: by p/s/one and by p/s/two; take one of them out of the program [lvs-known]",
  );
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

describe("the token at the end of an error", () => {
  const tokenOf = async (failed: Promise<unknown>): Promise<string | undefined> =>
    / (\[lvs-\w+\])$/.exec(await failed.then(String, ({ message }: Error) => message))?.[1];
  const fakeWithService = () => {
    const fake = fakeHost();
    fake.write("ipvs", "-A -t 192.168.0.219:80 -s wlc\n");
    return fake;
  };

  test("says that the outcome is known, after a creation that the host has undone", async () => {
    const fake = fakeWithService();
    const { create } = await run(fake, "RealServer");
    const before = fake.snapshot();
    fake.failCommand("step", 1);
    expect(await tokenOf(create(server("one")))).toBe("[lvs-known]");
    expect(fake.snapshot()).toBe(before);
  });

  test("says so after a creation that a check has refused", async () => {
    const fake = fakeWithService();
    await (await run(fake, "RealServer")).create(server("one"));
    const { create } = await run(fake, "RealServer");
    expect(await tokenOf(create({ ...server("two"), owner: "p/other/two" }))).toBe("[lvs-known]");
  });

  test("says so after a probe that has failed", async () => {
    const { create } = await run(fakeHost(), "ServiceProbe");
    const probe = { ...serviceProbe.config.parse({}), url: "http://192.168.0.219/", within: 0 };
    const failed = create({ connection: server("one").connection, owner: "p/s/probe", ...probe });
    expect(await tokenOf(failed)).toBe("[lvs-known]");
  });

  test("says that the outcome is unknown, if the answer to a creation was lost or the undo failed", async () => {
    const fake = fakeWithService();
    const { create } = await run(fake, "RealServer");
    const pause = fake.pauseStep(1);
    const failed = tokenOf(create(server("one")));
    await pause.reached();
    fake.hangUp();
    expect(await failed).toBe("[lvs-unknown]");
    pause.go();
    await fake.quiet();

    const other = fakeWithService();
    const later = await run(other, "RealServer");
    other.failCommand("step", 1);
    other.failCommand("undo", 0);
    expect(await tokenOf(later.create(server("one")))).toBe("[lvs-unknown]");
  });

  test("is missing after any other error, because the outcome of the creation is not known", async () => {
    const fake = fakeWithService();
    const { create } = await run(fake, "RealServer");
    fake.host.submit = () => Promise.reject(new Error("cannot create web on director1: of a library"));
    expect(await tokenOf(create(server("one")))).toBeUndefined();
    fake.host.submit = () => Promise.reject(new TypeError("undefined is not a function"));
    expect(await tokenOf(create(server("one")))).toBeUndefined();
  });

  test("is only of creations: other failures have a status of their own", async () => {
    const fake = fakeWithService();
    const { create } = await run(fake, "RealServer");
    const { outs } = await create(server("one"));
    const { update: later, delete: gone } = await run(fake, "RealServer");
    for (const change of [() => later("", outs, { ...outs, weight: 2 }), () => gone("", outs)]) {
      fake.failCommand("step", 0);
      const failed = change();
      await expect(failed).rejects.toThrow(/^cannot (update|delete) .* on director1: /);
      expect(await tokenOf(failed)).toBeUndefined();
      fake.mend();
    }
  });
});
