import { describe, expect, test } from "vitest";
import { arpSuppression } from "../../../providers/arp-suppression.js";
import { virtualAddress } from "../../../providers/virtual-address.js";
import { virtualService } from "../../../providers/virtual-service/index.js";
import { vrrpInstance } from "../../../providers/vrrp-instance/index.js";
import { fakeHost, resources } from "../../support/fake/engine.js";

const ledger = "etc/pulumi-lvs/boot";
const thrown = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => new Error("it went well"),
    (error: Error) => error,
  );

describe("a tool that vanishes in the middle", () => {
  test("leaves no mark of what it could not make", async () => {
    const fake = fakeHost();
    const untouched = fake.snapshot();
    const services = resources(virtualService, fake);
    fake.takeTool("ipvsadm", "bulk", 0);
    const errors = await Promise.all([1, 2].map((fwmark) => thrown(services.create({ fwmark }))));
    for (const { message } of errors) expect(message).toMatch(/ipvsadm: not found/);
    expect(fake.snapshot()).toBe(untouched);
  });

  test("undoes a change whose outputs it no longer lets anyone read", async () => {
    const fake = fakeHost();
    const instances = resources(vrrpInstance, fake);
    const args = { interface: "eth0", routerId: 51, addresses: [{ address: "192.168.0.219" }] };
    const { props } = await instances.create(args);
    const before = fake.snapshot();
    fake.takeTool("ip", "step", 0);
    const { message } = await thrown(instances.update(props, { ...args, priority: 7 }));
    expect(message).toBe(
      "cannot update vrrp/eth0/51 on director1: cannot read `ip -j addr show`: ip: not found; the change was undone; install iproute2 there",
    );
    expect(fake.snapshot()).toBe(before);
  });

  test("leaves in state what may be there, and says that it could not be undone", async () => {
    const fake = fakeHost();
    const untouched = fake.snapshot();
    const addresses = resources(virtualAddress, fake);
    // after the record and the address, before the neighbours are told
    fake.takeTool("ip", "step", 2);
    const error = await thrown(addresses.create({ interface: "eth0", address: "192.168.0.219" }));
    expect(error.message).toMatch(/^cannot create eth0.192\.168\.0\.219 .*; and this could not be undone; /);
    expect(error).toMatchObject({ id: "director1/eth0/192.168.0.219", properties: { interface: "eth0" } });
    fake.mend();
    await addresses.delete((error as unknown as { properties: Record<string, unknown> }).properties);
    expect(fake.snapshot()).toBe(untouched);
  });
});

describe("what is there as declared, while the host does not know whose it is,", () => {
  const cases = {
    "a VIP": [virtualAddress, { interface: "eth0", address: "192.168.0.219" }, ledger],
    silence: [arpSuppression, {}, ledger],
  } as const;

  test.each(Object.entries(cases))(
    "is found by refresh and mended by up: %s",
    async (_, [definition, args, file]) => {
      const fake = fakeHost();
      const kind = resources(definition, fake);
      const { props } = await kind.create(args);
      const whole = fake.snapshot();
      fake.write(file, "");
      const { props: found } = await kind.read(props);
      expect(found).toMatchObject({ record: "missing" });
      const inputs = kind.inputsOf(args);
      expect(kind.engine.diff("", found as never, inputs)).toEqual({
        replaces: [],
        deleteBeforeReplace: false,
      });
      const outs = await kind.update(found as never, args);
      expect(outs).toEqual(props);
      expect(fake.snapshot()).toBe(whole);
      expect((await kind.read(outs)).props).toEqual(props);
      expect(kind.engine.diff("", outs, inputs)).toEqual({ changes: false });
    },
  );

  test("is found and mended too where the value that a setting had before is lost", async () => {
    const fake = fakeHost();
    const kind = resources(arpSuppression, fake);
    const { props } = await kind.create({});
    fake.remove("run/pulumi-lvs/sysctl.net.ipv4.conf.lo.arp_ignore");
    const { props: found } = await kind.read(props);
    expect(found).toMatchObject({ record: "missing" });
    expect(await kind.update(found as never, {})).toEqual(props);
    expect(fake.read("run/pulumi-lvs/sysctl.net.ipv4.conf.lo.arp_ignore/found")).toBe("1\n");
  });

  test("is left to another stack that has taken it over", async () => {
    const fake = fakeHost();
    const kind = resources(virtualAddress, fake);
    const args = { interface: "eth0", address: "192.168.0.219" };
    const { props } = await kind.create(args);
    await kind.create({ ...args, adopt: true }, "p/other/one");
    expect((await kind.read(props)).props).toEqual(props);
  });
});

describe("a create whose answer was lost", () => {
  const created = async (n: number) => {
    const fake = fakeHost();
    const untouched = fake.snapshot();
    const services = resources(virtualService, fake);
    const pause = fake.pauseStep(n);
    const change = thrown(services.create({ fwmark: 1 }));
    await pause.reached();
    fake.hangUp();
    const error = await change;
    pause.go();
    await fake.quiet();
    fake.mend();
    expect(error.message).toMatch(/the connection was lost before the host had answered.*\[lvs-unknown\]$/);
    const { properties } = error as unknown as { properties: Record<string, unknown> };
    return { fake, untouched, services, properties };
  };

  test("is in state, so that destroy takes away what the host made of it alone", async () => {
    const { fake, untouched, services, properties } = await created(1);
    expect(fake.lines("ipvs")).toEqual(["-A -f 1 -s wlc"]);
    await services.delete(properties);
    expect(fake.snapshot()).toBe(untouched);
  });

  test("goes on by an update, as Pulumi asks for what was not initialized", async () => {
    const { fake, services, properties } = await created(1);
    fake.write("ipvs", "");
    await services.update(properties, { fwmark: 1 });
    expect(fake.lines("ipvs")).toEqual(["-A -f 1 -s wlc"]);
  });

  test("is a plain failure where nothing was sent but a probe", async () => {
    const fake = fakeHost();
    fake.cutAfter = 0;
    const error = await thrown(resources(virtualService, fake).create({ fwmark: 1 }));
    expect(error).not.toHaveProperty("properties");
  });
});
