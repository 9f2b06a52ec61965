import { expect, test } from "vitest";

const choose = async (circumstances: { wanted?: string; kvm: boolean; kernel?: string }) => {
  const module = await import("../../support/machines/choose.mts");
  return module.choose({ wanted: undefined, kernel: undefined, ...circumstances });
};

test.each([
  [{ kvm: true, kernel: "7.3.4-1" }, "qemu", /KVM works/],
  [{ kvm: false, kernel: "7.3.4-1" }, "uml", /KVM does not work/],
  [{ kvm: false }, "qemu", /emulated CPUs: .* no User-Mode Linux kernel is built/],
  [{ wanted: "uml", kvm: true }, "uml", /LVS_LAB_ENGINE=uml/],
  [{ wanted: "qemu", kvm: false, kernel: "7.3.4-1" }, "qemu", /LVS_LAB_ENGINE=qemu/],
])("with %j the lab runs on %s, and says why", async (circumstances, name, why) => {
  const chosen = await choose(circumstances);
  expect(chosen.name).toBe(name);
  expect(chosen.why).toMatch(why);
});

test("an engine that does not exist is an error", async () => {
  await expect(choose({ wanted: "xen", kvm: true })).rejects.toThrow(
    "LVS_LAB_ENGINE is xen: it can be qemu or uml",
  );
});

test("the newest kernel source of version 7 or later is taken", async () => {
  const { newestSource } = await import("../../../scripts/setup/kernel-source.mjs");
  const names = [
    "linux-source",
    "linux-source-6.12",
    "linux-source-7.9",
    "linux-source-7.10",
    "linux-source-7.2",
  ];
  expect(newestSource(names.join("\n"))).toBe("linux-source-7.10");
  expect(() => newestSource("linux-source\nlinux-source-6.12\n")).toThrow(/no package linux-source-7/);
});
