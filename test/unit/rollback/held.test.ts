import { describe, expect, test } from "vitest";
import type { Deployment, Entry } from "../../../rollback/deployment.js";
import { deleting, deletionsOf, heldBy, keeping } from "../../../rollback/held.js";
import { previousProgram } from "../../../rollback/previous-program.js";

const entry = (kind: string, name: string, more: Partial<Entry> = {}): Entry => {
  const type = `pulumi-nodejs:dynamic/lvs:${kind}`;
  return { urn: `urn:pulumi:prod::shop::${type}::${name}`, type, custom: true, ...more };
};
const needing = (...those: Entry[]) => ({ dependencies: those.map(({ urn }) => urn) });
const of = (...resources: Entry[]): Deployment => ({ resources });
const short = (urns: Iterable<string>) => [...urns].map((urn) => urn.split("::").at(-1));

// The update has made a service, its server and its monitor, which the instance needs since, and another service.
const service = entry("VirtualService", "service");
const server = entry("RealServer", "server", needing(service));
const monitor = entry("HealthMonitor", "monitor", needing(server));
const instance = entry("VrrpInstance", "instance", needing(monitor));
const other = entry("VirtualService", "other");
const before = of(entry("VrrpInstance", "instance"));
const now = of(service, server, monitor, instance, other);
const heldFor = (old: Deployment, deployment: Deployment) =>
  heldBy(deletionsOf(previousProgram(old, deployment), old), deployment);
const heldIn = (deployment: Deployment) => heldFor(before, deployment);

describe("what a resource that stays needs", () => {
  test("is held with all that this needs, and each has the one that needs it", () => {
    const held = heldIn(now);
    expect(short(held.keys())).toEqual(["monitor", "server", "service"]);
    expect(new Set(short(held.values()))).toEqual(new Set(["instance"]));
  });

  test("is declared as it is and is no target, while all else is restored or deleted", () => {
    const { resources, targets } = keeping(heldIn(now), before, now, true);
    expect(short(resources.map((one) => one.entry.urn))).toEqual([
      "instance",
      "service",
      "server",
      "monitor",
    ]);
    expect(resources[3]?.entry.dependencies).toEqual([server.urn]);
    expect(short(targets)).toEqual(["instance", "other"]);
  });

  test("has its parent of another package, which is no target either", () => {
    const site = { urn: "urn:pulumi:prod::shop::other:index:Site::site", type: "other:index:Site" };
    const inside = entry("VirtualService", "inside", { parent: site.urn });
    const deployment = of(site, inside, entry("VrrpInstance", "instance", needing(inside)));
    const { resources, targets } = keeping(heldIn(deployment), before, deployment, true);
    expect(short(resources.map((one) => one.entry.urn))).toEqual(["instance", "site", "inside"]);
    expect(short(targets)).toEqual(["instance"]);
  });

  test("is no longer held when that one is restored, and is deleted by a program with all others as they are", () => {
    const restored = of(service, server, monitor, entry("VrrpInstance", "instance"));
    expect(heldIn(restored).size).toBe(0);
    const { resources, targets } = deleting([server.urn, monitor.urn], restored, true);
    expect(short(resources.map((one) => one.entry.urn))).toEqual(["service", "instance"]);
    expect(short(targets)).toEqual(["server", "monitor"]);
  });

  test("is held by what could not be deleted, also if that only waits for its deletion", () => {
    const waiting = { ...entry("RealServer", "replaced", needing(service)), delete: true };
    for (const rest of [server, waiting])
      expect(short(heldBy(new Set([service.urn]), of(service, rest)).keys())).toEqual(["service"]);
    expect(heldBy(new Set([service.urn, server.urn]), of(service, server)).size).toBe(0);
  });

  test("is not held if it is only read", () => {
    const read = entry("VirtualService", "read", { external: true });
    expect(heldIn(of(read, entry("VrrpInstance", "instance", needing(read)))).size).toBe(0);
  });

  test("is not held if it is renamed back", () => {
    const [was, is] = ["old", "new"].map((name) =>
      entry("VirtualService", name, { id: "director1/tcp://10.0.0.1:80" }),
    );
    const [old, present] = [
      of(was as Entry),
      of(is as Entry, entry("VrrpInstance", "kept", needing(is as Entry))),
    ];
    expect(short(heldFor(old, present).keys())).toEqual([]);
  });
});
