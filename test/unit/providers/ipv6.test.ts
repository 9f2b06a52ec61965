import { expect, test } from "vitest";
import { hostRoute } from "../../../providers/host-route.js";
import { virtualAddress } from "../../../providers/virtual-address.js";
import { fakeHost, resources } from "../../support/fake/engine.js";

const vip = { interface: "eth0", address: "2001:db8::219" };
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

test("the deletion of an IPv6 route leaves the kernel's own to the same destination", async () => {
  const fake = fakeHost();
  fake.write("routes", `${fake.read("routes")}${kernels}\n`);
  const untouched = fake.snapshot();
  const kind = resources(hostRoute, fake);
  const { props } = await kind.create({ destination: "2001:db8::219", device: "lo" });
  await kind.delete(props);
  expect(fake.snapshot()).toBe(untouched);
});
