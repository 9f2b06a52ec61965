import { expect, test } from "vitest";
import { sysctl } from "../../../providers/sysctl.js";
import { fakeHost, resources } from "../../support/fake/engine.js";

const remedyOf = async (name: string) => {
  const creation = resources(sysctl, fakeHost()).create({ name, value: "1" });
  const { message } = await creation.then(
    () => ({ message: "" }),
    (error: Error) => error,
  );
  expect(message).toContain(": there is no such setting");
  return message.split(": there is no such setting; ")[1];
};

test.each([
  ["net.ipv4.vs.drop_entry", "ip_vs"],
  ["net.netfilter.nf_conntrack_max", "nf_conntrack"],
  ["net.nf_conntrack_max", "nf_conntrack"],
  ["net.bridge.bridge-nf-call-iptables", "br_netfilter"],
])("the error of %s without its module names %s and how to load it", async (name, module) => {
  expect(await remedyOf(name)).toBe(
    `the module ${module} has it: declare a KernelModule with the name ${module}, and let this depend on it (dependsOn)`,
  );
});

test("the error of a sysctl that no host has guesses no module", async () => {
  expect(await remedyOf("net.ipv4.tcp_no_such")).toBe(
    "if a module of the kernel has it, declare a KernelModule, and let this depend on it (dependsOn)",
  );
});

test("the error of an interface's sysctl names no module", async () => {
  expect(await remedyOf("net.ipv4.conf.eth9.rp_filter")).toMatch(
    /^it has no interface eth9, but (?!.*KernelModule)/,
  );
});
