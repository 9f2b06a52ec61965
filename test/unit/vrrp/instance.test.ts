import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { partsOf } from "../../../providers/engine/inputs.js";
import { vrrpInstance } from "../../../providers/vrrp-instance/index.js";
import { Facts } from "../../../src/facts/facts.js";
import { unit } from "../../../src/shell/agent.js";
import { parseVrrp, printVrrp, type VrrpSettings } from "../../../src/vrrp/instance.js";
import { resources } from "../../support/fake/engine.js";
import type { FakeHost } from "../../support/fake/fake-host.js";
import { vrrpInstance as tested } from "../../support/kinds/vrrp-instance.js";

const settingsOf = (args: object): VrrpSettings => {
  const { key, config } = partsOf(
    vrrpInstance,
    resources(vrrpInstance, undefined as unknown as FakeHost).inputsOf(args as never),
  );
  const { keepalived: _, ...rest } = config;
  return { ...key, ...rest } as unknown as VrrpSettings;
};

test("a file is read as it was written", () => {
  const { key, config } = tested.laws as NonNullable<typeof tested.laws>;
  fc.assert(
    fc.property(key, config, (key, config) => {
      const settings = settingsOf({ ...key, ...config });
      expect(parseVrrp(printVrrp(settings))).toEqual(settings);
    }),
  );
  for (const args of tested.right) expect(parseVrrp(printVrrp(settingsOf(args)))).toEqual(settingsOf(args));
});

test("a file of an older version is read, and one with a part of its line is not", () => {
  const settings = settingsOf(tested.right[0] as object);
  const text = printVrrp(settings);
  const former = text.replace("\thigher_prio_send_advert\n", "");
  expect(former).not.toBe(text);
  expect(parseVrrp(former)).toEqual(settings);
  expect(parseVrrp(text.replace("higher_prio_send_advert", "higher_prio"))).toBeUndefined();
});

test("a file with one character changed is another instance, or none of ours", () => {
  const settings = settingsOf(tested.right[0] as object);
  const text = printVrrp(settings);
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.constantFrom("0", "x", " ", "\n", "}", "#"), (at, character) => {
      const other = text.slice(0, at) + character + text.slice(at + 1);
      const read = parseVrrp(other);
      if (other !== text) expect(read).not.toEqual(settings);
      else expect(read).toEqual(settings);
    }),
  );
});

/** The script by which keepalived asks for a service. */
const scriptOf = (service: string) =>
  /script "(.*)"/.exec(
    printVrrp(
      settingsOf({
        interface: "eth0",
        routerId: 1,
        addresses: [{ address: "10.0.0.1" }],
        trackServices: [service],
      }),
    ),
  )?.[1] ?? "";

test.each([
  ["tcp://192.168.0.219:80", "tcp://192.168.0.219:80\t192.168.10.11:80\tup\t1769860800\tOK", true],
  ["tcp://192.168.0.219:80", "tcp://192.168.0.219:80\t192.168.10.11:80\trising\t1769860800\tOK", true],
  ["tcp://192.168.0.219:80", "tcp://192.168.0.219:80\t192.168.10.11:80\tdown\t1769860800\tup", false],
  ["tcp://192.168.0.219:80", "tcp://192.168.0.219:80\t192.168.10.11:80\tsorry\t1769860800", false],
  ["tcp://192.168.0.219:80", "tcp://192.168.0.219:8080\t192.168.10.11:80\tup\t1769860800", false],
  ["tcp://192.168.0.219:80", "", false],
  ["tcp://[2001:db8::1]:80", "tcp://[2001:db8::1]:80\t[2001:db8::11]:80\tup\t1769860800", true],
  ["fwmark://7/ipv6", "fwmark://7/ipv6\t[2001:db8::11]:0\tup\t1769860800", true],
])("of the service %s a server is up by the line %j: %s", (service, line, isUp) => {
  const folder = mkdtempSync(join(tmpdir(), "lvs-vrrp-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "health"), `${line}\n`);
  const script = scriptOf(service)
    .replace("/run/pulumi-lvs/health", join(folder, "health"))
    .replace(/^\/bin\//, "");
  expect(spawnSync("sh", ["-c", script]).status).toBe(isUp ? 0 : 1);
});

test.each([
  ["master", "192.168.0.219"],
  ["backup", "192.168.0.5"],
])("a host is the %s by its address %s", (state, local) => {
  const links = [{ ifname: "eth0", addr_info: [{ family: "inet", local, prefixlen: 32 }] }];
  const facts = new Facts(
    new Map([
      ["addresses", { body: JSON.stringify(links) }],
      ["vrrp:eth0-51", { body: "" }],
    ]),
  );
  const { key, config } = partsOf(vrrpInstance, { ...tested.right[0] });
  expect(vrrpInstance.computed?.read(facts, key, config)).toEqual({ state, held: false });
});

test("what an agent saw goes with it, so that keepalived does not count its servers", () => {
  const [, file] = /^ExecStopPost=-\/bin\/rm -f (\S+)$/m.exec(unit) ?? [];
  expect(scriptOf("tcp://192.168.0.219:80").endsWith(` ${file}`)).toBe(true);
});
