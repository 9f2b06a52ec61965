import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Definition } from "../../../providers/engine/define.js";
import type { Bag } from "../../../providers/engine/inputs.js";
import { definitions } from "../../support/fake/definitions.js";
import { fakeHost, resources } from "../../support/fake/engine.js";
import type { FakeHost } from "../../support/fake/fake-host.js";
import type { Image } from "../../support/fake/tree.js";

/*
 * A host as the version before the ledger left it: older-host.json has the files that differ from a fresh fake host. That
 * version wrote them by creating these resources. Of its restore file there is only the line of its version.
 */

const older = JSON.parse(
  readFileSync(join(__dirname, "../../support/fake/older-host.json"), "utf8"),
) as Image;

const web = { address: "192.168.0.219", port: 80 };
const service = "tcp://192.168.0.219:80";

const declared: readonly [string, Bag, string][] = [
  ["kernel-module", { name: "ip_vs" }, "shop/prod/ip-vs"],
  ["ip-forwarding", { sendRedirects: false, interfaces: ["eth0"] }, "shop/prod/forwarding"],
  ["ip-forwarding", {}, "blog/prod/forwarding"],
  ["arp-suppression", {}, "shop/prod/arp"],
  ["sysctl", { name: "net.ipv4.vs.expire_nodest_conn", value: "1" }, "shop/prod/expire"],
  ["sysctl", { name: "net.ipv4.conf.lo.arp_ignore", value: "1", persist: false }, "blog/prod/arp"],
  ["ipvs-timeouts", { udp: 30 }, "shop/prod/timeouts"],
  ["virtual-service", web, "shop/prod/web"],
  ["real-server", { service, address: "192.168.10.11", port: 80 }, "shop/prod/web-1"],
  ["virtual-address", { interface: "eth0", address: "192.168.0.219" }, "shop/prod/vip"],
  ["virtual-service", { fwmark: 7, persist: false }, "blog/prod/mark"],
  ["host-route", { destination: "10.0.0.0/8", via: "192.168.10.1" }, "shop/prod/route"],
];

const kind = (name: string, fake: FakeHost) => resources(definitions.get(name) as Definition, fake);

function olderHost() {
  const fake = fakeHost();
  const untouched = fake.snapshot();
  const booted = fake.image();
  fake.restore({ ...booted, ...older });
  const state = declared.map(([name, args, owner]) => ({
    name,
    args,
    props: kind(name, fake).inputsOf(args, owner),
  }));
  return { fake, untouched, booted, state };
}

const former = (fake: FakeHost) =>
  Object.keys(fake.image()).filter((name) => /^run\/pulumi-lvs\/(.*\/)?owners$/.test(name));

describe("what an older version has recorded on a host", () => {
  test("belongs to the same resources: refresh finds nothing to mend, and another stack is refused", async () => {
    const { fake, state } = olderHost();
    for (const { name, props } of state) {
      const { props: found } = (await kind(name, fake).read(props)) as { props: Bag };
      expect({ ...props, ...found }).toEqual(found);
      expect(found).not.toHaveProperty("record");
    }
    await expect(kind("virtual-service", fake).create(web, "blog/prod/web")).rejects.toThrow(
      /it belongs to shop\/prod\/web, of another stack/,
    );
  });

  test("is taken over by the next change, which removes the files that are no longer used", async () => {
    const { fake, untouched, state } = olderHost();
    const owners = fake.owners();
    expect(former(fake)).not.toEqual([]);
    for (const { name, args, props } of state.filter(({ name }) => name === "virtual-service"))
      await kind(name, fake).update(props, { ...args, scheduler: "rr" });
    expect(former(fake)).toEqual([]);
    expect(fake.owners().sort()).toEqual(owners.sort());
    for (const { name, props } of state.toReversed()) await kind(name, fake).delete(props);
    expect(fake.snapshot()).toBe(untouched);
  });

  test("comes back after a reboot", async () => {
    const { fake, booted, state } = olderHost();
    const { args, props } = state.find(({ name }) => name === "virtual-service") as (typeof state)[number];
    await kind("virtual-service", fake).update(props, { ...args, scheduler: "rr" });
    await fake.reboot(booted);
    expect(await fake.start()).toBe("");
    expect(fake.lines("ipvs")).toEqual([
      "-A -t 192.168.0.219:80 -s rr",
      "-a -t 192.168.0.219:80 -r 192.168.10.11:80 -g -w 1",
    ]);
    expect(fake.sysctl("net/ipv4/conf/lo/arp_ignore")).toBe("1");
  });
});
