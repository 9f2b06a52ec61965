import { describe, expect, test } from "vitest";
import { hostRoute } from "../../providers/host-route.js";
import { ipForwarding } from "../../providers/ip-forwarding.js";
import { kernelModule } from "../../providers/kernel-module.js";
import { virtualService } from "../../providers/virtual-service/index.js";
import { fakeHost, resources } from "../support/fake/engine.js";

describe("a kernel module", () => {
  const args = { name: "ip_vs", options: { conn_tab_bits: "15" } };

  test("is unloaded with the modules it brought and the schedulers that came after it", async () => {
    const fake = fakeHost().withModules();
    const untouched = fake.snapshot();
    const modules = resources(kernelModule, fake);
    const services = resources(virtualService, fake);
    const { props } = await modules.create(args);
    const { props: service } = await services.create({ fwmark: 1, scheduler: "rr" });
    expect(fake.has("sys/module/ip_vs_rr")).toBe(true);
    await services.delete(service);
    await modules.delete(props);
    expect(fake.snapshot()).toBe(untouched);
  });

  test("that is in use stays, and so does its record's end", async () => {
    const fake = fakeHost().withModules();
    const modules = resources(kernelModule, fake);
    const { props } = await modules.create(args);
    await resources(virtualService, fake).create({ fwmark: 1, scheduler: "rr" });
    await modules.delete(props);
    expect(fake.has("sys/module/ip_vs")).toBe(true);
    expect(fake.has("run/pulumi-lvs/module.ip_vs")).toBe(false);
  });

  test("that was loaded before stays, with the option it had", async () => {
    const fake = fakeHost();
    const modules = resources(kernelModule, fake);
    const untouched = fake.snapshot();
    const { props } = await modules.create({ name: "ip_vs" });
    const changed = await modules.update(props, args);
    expect(fake.read("sys/module/ip_vs/parameters/conn_tab_bits")).toBe("15\n");
    await modules.delete(changed);
    expect(fake.snapshot()).toBe(untouched);
  });

  test("that the kernel does not have is reported with what to do", async () => {
    const fake = fakeHost().withModules();
    const untouched = fake.snapshot();
    fake.write("modules", "");
    await expect(resources(kernelModule, fake).create({ name: "ip_vs" })).rejects.toThrow(
      /modprobe: FATAL: Module ip_vs not found in directory \/lib\/modules\/6\.1\.0; its kernel has no ip_vs: install a kernel that has it/,
    );
    fake.write("modules", JSON.parse(/^modules: (.*)$/m.exec(untouched)?.[1] ?? '""'));
    expect(fake.snapshot()).toBe(untouched);
  });
});

describe("a route", () => {
  test.each([
    ["of IPv6 without a metric", { destination: "2001:db8:9::/64", device: "eth0" }],
    ["of IPv6 to everywhere", { destination: "::/0", via: "2001:db8::2", metric: 5 }],
    ["in a table that has none yet", { destination: "10.0.0.0/8", device: "eth0", table: "100" }],
    [
      "in a table of IPv6 that has none yet",
      { destination: "2001:db8:9::/64", device: "eth0", metric: 7, table: "100" },
    ],
  ])("%s comes, is found, and goes", async (_, args) => {
    const fake = fakeHost();
    const untouched = fake.snapshot();
    const kind = resources(hostRoute, fake);
    const { props } = await kind.create(args);
    expect((await kind.read(props)).props).toEqual(props);
    expect(fake.snapshot()).not.toBe(untouched);
    await kind.delete(props);
    expect(fake.snapshot()).toBe(untouched);
  });
});

describe("forwarding on other interfaces", () => {
  test.each([
    [
      "an interface that is not named any more",
      { sendRedirects: false, interfaces: ["eth1"] },
      { sendRedirects: false },
    ],
    ["redirects that are not declared any more", { sendRedirects: false }, {}],
  ])("is another one, which replaces the first and lets go of %s", async (_, first, second) => {
    const fake = fakeHost();
    const untouched = fake.snapshot();
    const kind = resources(ipForwarding, fake);
    const { props } = await kind.create(first);
    expect(kind.engine.diff("", props, kind.inputsOf(second))).toMatchObject({ replaces: ["interfaces"] });
    const { props: changed } = await kind.create(second);
    await kind.delete(props);
    expect(fake.sysctl("net/ipv4/ip_forward")).toBe("1");
    expect(fake.sysctl("net/ipv4/conf/eth1/send_redirects")).toBe("1");
    await kind.delete(changed);
    expect(fake.snapshot()).toBe(untouched);
  });
});

test("a refresh of a host that has lost ipvsadm says so, and takes nothing for gone", async () => {
  const fake = fakeHost();
  const kind = resources(virtualService, fake);
  const { props } = await kind.create({ fwmark: 1 });
  fake.withoutTool("ipvsadm");
  await expect(kind.read(props)).rejects.toThrow(
    /^cannot read fwmark:\/\/1 on director1: cannot read `ipvsadm -Sn`: ipvsadm: not found; install ipvsadm there/,
  );
});
