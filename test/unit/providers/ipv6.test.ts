import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hostRoute } from "../../../providers/host-route.js";
import { virtualAddress } from "../../../providers/virtual-address.js";
import { fakeHost, resources } from "../../support/fake/engine.js";

const vip = { interface: "eth0", address: "2001:db8::219" };
const polling = { timeout: 30_000, interval: 50 };
const deprecated = "eth0 2001:db8::219/128 - - nodad deprecated";
const kernels = "6 main 2001:db8::219 - lo - 256";

test("an IPv6 VIP is never chosen as a source, also after a reboot", async () => {
  const fake = fakeHost();
  const booted = fake.image();
  const { props } = await resources(virtualAddress, fake).create(vip);
  expect(fake.lines("addresses")).toContain(deprecated);
  await fake.reboot(booted);
  expect(await fake.start()).toBe("");
  expect(fake.lines("addresses")).toContain(deprecated);
  await fake.newRun();
  expect((await resources(virtualAddress, fake).read(props)).props).toEqual(props);
});

test("one that an older version made is shown by a refresh, and mended by the next up without being taken away", async () => {
  const fake = fakeHost();
  const kind = resources(virtualAddress, fake);
  const { props } = await kind.create(vip);
  fake.write("addresses", fake.read("addresses").replace(" deprecated", ""));
  await fake.newRun();
  const found = (await resources(virtualAddress, fake).read(props)).props as typeof props;
  expect(found.label).toBe("preferred");
  fake.write("log", "");
  expect(await resources(virtualAddress, fake).update(found, vip)).toEqual(props);
  expect(fake.lines("addresses")).toContain(deprecated);
  expect(fake.changes()).toEqual(["ip addr change 2001:db8::219/128 dev eth0 nodad preferred_lft 0"]);
});

// index, hardware address, and the override flag, with the router flag if the host forwards
const advertised = (bits: number, by = "perl") => `${by} eth0 2001:db8::219 2 525400000005 ${bits}`;

describe("an IPv6 VIP that is new", () => {
  test("is announced by a neighbour advertisement, also after a reboot", async () => {
    const fake = fakeHost();
    const booted = fake.image();
    await resources(virtualAddress, fake).create(vip);
    await expect.poll(() => fake.lines("log"), polling).toContain(advertised(32));
    await fake.reboot(booted);
    fake.write("log", "");
    fake.write("proc/sys/net/ipv6/conf/eth0/forwarding", "1\n");
    expect(await fake.start()).toBe("");
    await expect.poll(() => fake.lines("log"), polling).toContain(advertised(160));
  });

  test("is announced by python3 where there is no perl", async () => {
    const fake = fakeHost();
    rmSync(join(fake.root, "tools/perl"));
    await resources(virtualAddress, fake).create(vip);
    await expect.poll(() => fake.lines("log"), polling).toContain(advertised(32, "python3"));
  });

  test("is refused where no program can announce it, unless it is not to be announced", async () => {
    const fake = fakeHost();
    for (const tool of ["perl", "python3"]) rmSync(join(fake.root, "tools", tool));
    const untouched = fake.snapshot();
    await expect(resources(virtualAddress, fake).create(vip)).rejects.toThrow(
      "a neighbour advertisement of 2001:db8::219 on eth0 failed (exit code 94): no program there can send a neighbour advertisement; install perl or python3 there if neither is, or set announce: false",
    );
    expect(fake.snapshot()).toBe(untouched);
    await resources(virtualAddress, fake).create({ ...vip, announce: false });
    expect(fake.lines("addresses")).toContain(deprecated);
  });
});

describe("duplicate address detection", () => {
  // an address that was added by hand, without nodad
  const byHand = (fake: ReturnType<typeof fakeHost>, state: string) =>
    fake.write("addresses", `${fake.read("addresses")}eth0 2001:db8::219/128 - - ${state} deprecated\n`);

  test("is waited for where an address is taken over", async () => {
    const fake = fakeHost();
    byHand(fake, "tentative");
    await resources(virtualAddress, fake).create(vip);
    expect(fake.lines("addresses")).toContain("eth0 2001:db8::219/128 - - - deprecated");
    expect(fake.changes()).toEqual([]);
  });

  test("is waited for with a limit, and not where no cable is plugged in", async () => {
    const fake = fakeHost();
    byHand(fake, "endless");
    await resources(virtualAddress, fake).create(vip);
    const looks = () => fake.lines("log").filter((line) => line.startsWith("ip -o -6 addr")).length;
    expect(looks()).toBeGreaterThan(1);
    await fake.newRun();
    fake.write("log", "");
    fake.write("sys/class/net/eth0/carrier", "0\n");
    await resources(virtualAddress, fake).create(vip);
    // one look in each of the readings before and after
    expect(looks()).toBeLessThan(5);
  });

  test("that fails does not count as an address, and the error says what to do", async () => {
    const fake = fakeHost();
    byHand(fake, "duplicate");
    await expect(resources(virtualAddress, fake).create(vip)).rejects.toThrow(
      "another machine has 2001:db8::219 too: its duplicate address detection failed (dadfailed); remove it on the other machine, then here (ip addr del 2001:db8::219/128 dev eth0), and run `pulumi up` again",
    );
    expect(fake.changes()).toEqual([]);
  });

  test("that fails for an address of ours is shown by a refresh, and the next up adds the address again", async () => {
    const fake = fakeHost();
    const { props } = await resources(virtualAddress, fake).create(vip);
    await expect
      .poll(() => fake.lines("log").filter((line) => line.startsWith("perl")), polling)
      .toHaveLength(1);
    fake.write("addresses", fake.read("addresses").replace(" nodad", " dadfailed"));
    await fake.newRun();
    const found = (await resources(virtualAddress, fake).read(props)).props as typeof props;
    expect(found.label).toBe("dadfailed");
    fake.write("log", "");
    expect(await resources(virtualAddress, fake).update(found, vip)).toEqual(props);
    expect(fake.lines("addresses")).toContain(deprecated);
    expect(fake.changes().slice(0, 3)).toEqual([
      "ip addr del 2001:db8::219/128 dev eth0",
      "ip addr add 2001:db8::219/128 dev eth0 nodad preferred_lft 0",
      advertised(32),
    ]);
  });
});

test("the deletion of an IPv6 route leaves the kernel's own to the same destination", async () => {
  const fake = fakeHost();
  fake.write("routes", `${fake.read("routes")}${kernels}\n`);
  const untouched = fake.snapshot();
  const kind = resources(hostRoute, fake);
  const { props } = await kind.create({ destination: "2001:db8::219", device: "lo" });
  await kind.delete(props);
  expect(fake.snapshot()).toBe(untouched);
});
