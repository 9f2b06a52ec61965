import { expect, test } from "vitest";
import { virtualAddress } from "../../../providers/virtual-address.js";
import { fakeHost, resources } from "../../support/fake/engine.js";

const vip = { interface: "eth1", address: "192.168.0.219" };

test.each([
  ["0x1003", 1, undefined],
  ["0xc3", 0, "eth1 does no ARP (NOARP)"],
] as const)(
  "an address on an interface of the flags %s is announced %i times, at creation, at a change and at boot",
  async (flags, times, unannounced) => {
    const fake = fakeHost();
    fake.write("sys/class/net/eth1/flags", `${flags}\n`);
    const image = fake.image();
    const kind = resources(virtualAddress, fake);
    const since = (before: number) =>
      fake
        .changes()
        .slice(before)
        .filter((line) => line.startsWith("arping -q -U -c 1 "));
    const { props } = await kind.create(vip);
    expect(since(0).length).toBeGreaterThanOrEqual(times);
    expect(since(0).length > 0).toBe(times > 0);
    expect(props.unannounced).toBe(unannounced);
    expect((await kind.read(props)).props).toEqual(props);
    const changed = fake.changes().length;
    const label = await kind.update(props, { ...vip, label: "eth1:1" });
    expect(since(changed).length > 0).toBe(times > 0);
    expect(label.unannounced).toBe(unannounced);
    const booted = fake.changes().length;
    await fake.reboot(image);
    expect(await fake.start()).toBe("");
    expect(fake.lines("addresses").join("\n")).toContain("192.168.0.219/32");
    expect(since(booted).length > 0).toBe(times > 0);
  },
);
