import { describe, expect, test } from "vitest";
import { arpSuppression } from "../../../providers/arp-suppression.js";
import { hostRoute } from "../../../providers/host-route.js";
import { syncDaemon } from "../../../providers/sync-daemon.js";
import { virtualAddress } from "../../../providers/virtual-address.js";
import { fakeHost, resources } from "../../support/fake/engine.js";

const address = "192.168.0.219";
const withLinks = (...links: string[]) => {
  const fake = fakeHost();
  fake.write("links", ["lo", "eth0", ...links, ""].join("\n"));
  return fake;
};

describe("an interface that does not exist", () => {
  const theirs = "it has no interface eth9; name one of its interfaces: lo, eth0, eth1 or wan0";

  test("is refused with those that do, and nothing is changed", async () => {
    const fake = withLinks("eth1 altname=wan0");
    const untouched = fake.snapshot();
    await expect(resources(virtualAddress, fake).create({ interface: "eth9", address })).rejects.toThrow(
      theirs,
    );
    const route = { destination: address, device: "eth9" };
    await expect(resources(hostRoute, fake).create(route)).rejects.toThrow(theirs);
    const daemon = { state: "master", mcastInterface: "eth9" };
    await expect(resources(syncDaemon, fake).create(daemon)).rejects.toThrow(theirs);
    fake.write("log", "");
    expect(fake.snapshot()).toBe(untouched);
  });
});

test("a setting of an interface that has another name, or is not there, says so", async () => {
  const fake = withLinks("eth1 altname=wan0");
  const made = (name: string) => resources(arpSuppression, fake).create({ interface: name, all: false });
  await expect(made("wan0")).rejects.toThrow(
    "conf/wan0/arp_ignore: there is no such setting; write eth1, because settings do not know its other name wan0",
  );
  await expect(made("eth9")).rejects.toThrow(
    "conf/eth9/arp_ignore: there is no such setting; it has no interface eth9, but eth0 eth1 lo",
  );
});

describe("an alternative name of an interface", () => {
  test("stands for the interface of a VIP, which is found, announced, restored and deleted", async () => {
    const fake = withLinks("eth1 altname=wan0");
    const booted = fake.image();
    const kind = resources(virtualAddress, fake);
    const { id, props } = await kind.create({ interface: "wan0", address });
    expect(id).toBe(`director1/wan0/${address}`);
    expect(fake.lines("addresses")).toContain(`eth1 ${address}/32 - - -`);
    expect(fake.changes()).toContain(`arping -q -U -c 1 -I eth1 ${address}`);
    expect((await kind.read(props)).props).toEqual(props);
    await fake.reboot(booted);
    expect(await fake.start()).toBe("");
    await fake.newRun();
    expect((await resources(virtualAddress, fake).read(props)).props).toEqual(props);
    await resources(virtualAddress, fake).delete(props);
    expect(fake.read("addresses")).not.toContain(address);
  });

  test("stands for the device of a route", async () => {
    const fake = withLinks("eth1 altname=wan0");
    const kind = resources(hostRoute, fake);
    const { props } = await kind.create({ destination: address, device: "wan0" });
    expect(fake.lines("routes")).toContain(`4 main ${address} - eth1 - 0`);
    expect((await kind.read(props)).props).toEqual(props);
    await kind.delete(props);
    expect(fake.read("routes")).not.toContain(address);
  });

  test("stands for the interface of a sync daemon, which is found, restored and deleted", async () => {
    const fake = withLinks("eth1 altname=wan0");
    const booted = fake.image();
    const { props } = await resources(syncDaemon, fake).create({ state: "master", mcastInterface: "wan0" });
    expect(fake.read("daemons")).toContain("mcast=wan0");
    expect((await resources(syncDaemon, fake).read(props)).props).toEqual(props);
    await fake.reboot(booted);
    expect(await fake.start()).toBe("");
    expect(fake.read("daemons")).toContain("mcast=wan0");
    await fake.newRun();
    // one that runs under the interface's own name is the same
    fake.write("daemons", fake.read("daemons").replace("mcast=wan0", "mcast=eth1"));
    const before = fake.changes().length;
    expect((await resources(syncDaemon, fake).read(props)).props).toEqual(props);
    expect(fake.changes().length).toBe(before);
    await resources(syncDaemon, fake).delete(props);
    expect(fake.read("daemons")).toBe("");
  });
});

describe("an interface without ARP", () => {
  test.each([address, "2001:db8::219"])(
    "gets %s without an announcement, and the output says so",
    async (vip) => {
      const fake = withLinks("dummy0");
      fake.write("sys/class/net/dummy0/flags", "0xc3\n");
      const booted = fake.image();
      const { props } = await resources(virtualAddress, fake).create({ interface: "dummy0", address: vip });
      expect(props.unannounced).toBe("dummy0 does no ARP (NOARP)");
      await fake.reboot(booted);
      expect(await fake.start()).toBe("");
      expect(fake.read("addresses")).toContain(`dummy0 ${vip}/`);
      expect(fake.read("log")).not.toMatch(/^(arping|perl)/m);
      await fake.newRun();
      expect((await resources(virtualAddress, fake).read(props)).props).toEqual(props);
    },
  );

  test("says nothing where nothing was to be announced", async () => {
    const fake = withLinks("dummy0");
    fake.write("sys/class/net/dummy0/flags", "0xc3\n");
    const { props } = await resources(virtualAddress, fake).create({
      ...{ interface: "dummy0", address, announce: false },
    });
    expect(props.unannounced).toBeUndefined();
  });
});

describe("what the host has already with other settings", () => {
  test("an address of another prefix is refused without advice to take the host's own network over", async () => {
    const fake = fakeHost();
    const own = { interface: "eth0", address: "192.168.0.5" };
    const refused = resources(virtualAddress, fake).create(own);
    await expect(refused).rejects.toThrow(
      'it exists already, with other settings: prefixLength is 24, wanted 32, broadcast is "192.168.0.255", wanted null; set prefixLength: 24 if it is the VIP; if it is the host\'s own address, choose another one for the VIP',
    );
    await expect(refused).rejects.not.toThrow("adopt");
    const untouched = fake.lines("addresses");
    await resources(virtualAddress, fake).create({ ...own, prefixLength: 24, broadcast: "192.168.0.255" });
    expect(fake.lines("addresses")).toEqual(untouched);
  });

  test("a default route is refused with other ways to write it", async () => {
    const fake = fakeHost();
    await expect(
      resources(hostRoute, fake).create({ destination: "default", via: "192.168.0.9" }),
    ).rejects.toThrow(
      /via is "192\.168\.0\.1", wanted "192\.168\.0\.9"; give this one another metric or table/,
    );
  });
});
