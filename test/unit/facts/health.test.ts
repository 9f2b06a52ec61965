import { describe, expect, test } from "vitest";
import { healthMonitor } from "../../../providers/health-monitor/index.js";
import { FactError, Facts } from "../../../src/facts/facts.js";
import { fakeHost, resources } from "../../support/fake/engine.js";

const service = "tcp://192.168.0.219:80";
const line = (server: string, state: string, reason: string) =>
  `${service}\t${server}\t${state}\t2026-01-31 12:00:00\t${reason}\n`;

describe("the reason of a server's state", () => {
  test("is an output after a refresh, which is no difference", async () => {
    const fake = fakeHost();
    const kind = resources(healthMonitor, fake);
    const { props } = await kind.create({ service });
    expect(props).toMatchObject({ health: {}, reasons: {} });
    fake.write(
      "run/pulumi-lvs/health",
      line("192.168.10.11:80", "down", "status 404") + line("192.168.10.12:80", "up", ""),
    );
    const { props: read } = await kind.read(props);
    expect(read).toMatchObject({
      health: { "192.168.10.11:80": "down", "192.168.10.12:80": "up" },
      reasons: { "192.168.10.11:80": "status 404" },
    });
    expect(kind.engine.diff("", read ?? {}, kind.inputsOf({ service }))).toEqual({ changes: false });
  });

  test("that changes makes no plan stale", async () => {
    const fake = fakeHost();
    const kind = resources(healthMonitor, fake);
    const { props } = await kind.create({ service });
    fake.write("run/pulumi-lvs/health", line("192.168.10.11:80", "down", "status 404"));
    await kind.read(props);
    fake.write("run/pulumi-lvs/health", line("192.168.10.11:80", "down", "status 500"));
    const scripts = fake.scripts.length;
    const next = await kind.update(props, { service, interval: 3 });
    expect(next.reasons).toEqual({ "192.168.10.11:80": "status 500" });
    expect(fake.scripts.slice(scripts)).toHaveLength(1);
  });

  test("is printable, whatever the host sends", () => {
    const facts = (body: string) => new Facts({ get: () => ({ body }) }).reasons();
    expect(facts(`${service}\t192.168.10.11:80\t\u001b[2J\n`).get(service)?.get("192.168.10.11:80")).toBe(
      "\\u001b[2J",
    );
    expect(() => facts(`${service}\t192.168.10.11:80\n`)).toThrow(FactError);
    expect(() => facts(`${service}\t192.168.10.11:80\tone\ttwo\n`)).toThrow(FactError);
  });
});
