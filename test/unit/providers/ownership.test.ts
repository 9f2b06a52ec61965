import { chmodSync, mkdirSync, readlinkSync, symlinkSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Bag } from "../../../providers/engine/inputs.js";
import { kernelModule } from "../../../providers/kernel-module.js";
import { realServer } from "../../../providers/real-server/index.js";
import { sysctl } from "../../../providers/sysctl.js";
import { virtualAddress } from "../../../providers/virtual-address.js";
import { virtualService } from "../../../providers/virtual-service/index.js";
import { conflicts } from "../../../src/values/conflicts.js";
import { fakeHost, resources } from "../../support/fake/engine.js";

const web = { address: "192.168.0.219", port: 80 };
const entry = "-A -t 192.168.0.219:80 -s wlc";
const line = (owner: string) => `${owner} VirtualService tcp://192.168.0.219:80`;

describe("an object says on its host whose it is", () => {
  test("from its creation until its deletion, in a line that people can read", async () => {
    const fake = fakeHost();
    const untouched = fake.snapshot();
    const kind = resources(virtualService, fake);
    const { props } = await kind.create(web, "shop/prod/web");
    expect(fake.owners()).toEqual([line("shop/prod/web")]);
    const changed = await kind.update(props, { ...web, scheduler: "rr" });
    expect(fake.owners()).toEqual([line("shop/prod/web")]);
    await kind.delete(changed);
    expect(fake.snapshot()).toBe(untouched);
  });

  test("and is not adopted if it had gone by the time that the create was carried out", async () => {
    const fake = fakeHost();
    const kind = resources(virtualService, fake);
    fake.write("ipvs", `${entry}\n`);
    await kind.create({ address: "192.168.0.220", port: 80 });
    fake.write("ipvs", "");
    const { props } = await kind.create(web);
    expect(fake.lines("ipvs")).toEqual([entry]);
    expect(props.record).toBeUndefined();
  });

  test("also where it was there before and was taken over, or was made before there were marks", async () => {
    const fake = fakeHost();
    fake.write("ipvs", `${entry}\n`);
    const kind = resources(virtualService, fake);
    const { props } = await kind.create(web, "shop/prod/web");
    expect(fake.changes()).toEqual([]);
    expect(fake.owners()).toEqual([line("shop/prod/web")]);
    fake.remove("run/pulumi-lvs");
    await kind.update(props, { ...web, scheduler: "rr" });
    expect(fake.owners()).toEqual([line("shop/prod/web")]);
  });

  test("and is distinguished from what was made, so that a rollback does not delete it", async () => {
    const fake = fakeHost();
    fake.write("ipvs", `${entry}\n`);
    const kind = resources(virtualService, fake);
    const taken = await kind.create(web, "shop/prod/web");
    const made = await kind.create({ fwmark: 1 }, "shop/prod/mark");
    expect([taken.props.record, made.props.record]).toEqual(["adopted", undefined]);
    const found = await kind.read(taken.props);
    expect(found).toMatchObject({
      props: { record: "adopted" },
      inputs: expect.not.objectContaining({ record: "adopted" }),
    });
    const again = await kind.create({ fwmark: 1 }, "shop/prod/renamed");
    expect(again.props.record).toBeUndefined();
  });

  test("also when its record is lost and written again, and in the state of an older version", async () => {
    const fake = fakeHost();
    fake.write("ipvs", `${entry}\n`);
    const kind = resources(virtualService, fake);
    const { props } = await kind.create(web, "shop/prod/web");
    const { record: _, ...older }: Bag = { ...props, adopted: true };
    const { props: whole } = await kind.read(older);
    expect(whole).toEqual(props);
    fake.remove("etc/pulumi-lvs/boot");
    for (const state of [props, older, { ...older, unmarked: true }])
      expect(await kind.read(state)).toMatchObject({
        props: { record: "adopted, missing" },
        inputs: { record: "missing" },
      });
    for (const flag of [
      { record: "adopted, missing" },
      { unmarked: true },
      { gone: true },
      { missing: true },
    ])
      expect(kind.engine.diff("", { ...older, ...flag }, kind.inputsOf(web, "shop/prod/web"))).toMatchObject({
        replaces: [],
      });
    await kind.update({ ...props, record: "adopted, missing" }, web);
    expect((await kind.read(props)).props).toEqual(props);
  });

  test("many at once cost one script and one ipvsadm, and their marks go with them", async () => {
    const fake = fakeHost();
    fake.write("ipvs", `${entry}\n`);
    const untouched = fake.snapshot();
    const kind = resources(realServer, fake);
    const server = (n: number) => ({
      service: "tcp://192.168.0.219:80",
      address: `192.168.10.${n}`,
      port: 80,
    });
    const made = await Promise.all([1, 2, 3].map((n) => kind.create(server(n), `shop/prod/web-${n}`)));
    expect(fake.changes()).toEqual(["ipvsadm -R"]);
    expect(fake.owners()).toHaveLength(3);
    await Promise.all(made.map(({ props }) => kind.delete(props)));
    expect(fake.changes()).toEqual(["ipvsadm -R", "ipvsadm -R"]);
    expect(fake.snapshot()).toBe(untouched);
  });

  test("many at once may last differently long: each record is in the file of its lifetime", async () => {
    const fake = fakeHost();
    const untouched = fake.snapshot();
    const kind = resources(virtualService, fake);
    const made = await Promise.all(
      [1, 2, 3, 4].map((fwmark) => kind.create({ fwmark, persist: fwmark > 2 }, `shop/prod/${fwmark}`)),
    );
    expect(fake.changes()).toEqual(["ipvsadm -R"]);
    const things = (file: string) => fake.lines(file).map((text) => text.split("\t")[2]);
    expect(things("run/pulumi-lvs/boot")).toEqual([1, 2].map((n) => `VirtualService fwmark://${n}`));
    expect(things("etc/pulumi-lvs/boot")).toEqual([3, 4].map((n) => `VirtualService fwmark://${n}`));
    await Promise.all(made.map(({ props }) => kind.delete(props)));
    expect(fake.changes()).toEqual(["ipvsadm -R", "ipvsadm -R"]);
    expect(fake.snapshot()).toBe(untouched);
  });

  test("and one that the host refuses among many leaves none", async () => {
    const fake = fakeHost();
    fake.write("schedulers", "wlc\n");
    const kind = resources(virtualService, fake);
    const bad = kind.create({ fwmark: 1, scheduler: "sed" }, "shop/prod/bad");
    const good = [2, 3].map((fwmark) => kind.create({ fwmark }, `shop/prod/good-${fwmark}`));
    await expect(bad).rejects.toThrow(/Scheduler or persistence engine not found/);
    await Promise.all(good);
    expect(fake.owners().sort()).toEqual([
      "shop/prod/good-2 VirtualService fwmark://2",
      "shop/prod/good-3 VirtualService fwmark://3",
    ]);
  });
});

test("a host that cannot tell one mark from the others forgets none of them", async () => {
  const fake = fakeHost();
  const kind = resources(virtualService, fake);
  const { props } = await kind.create({ fwmark: 1 }, "shop/prod/one");
  await kind.create({ fwmark: 2 }, "shop/prod/two");
  const before = fake.snapshot();
  fake.withoutTool("awk");
  await expect(kind.delete(props)).rejects.toThrow(/awk: (command )?not found/);
  expect(fake.snapshot()).toBe(before);
});

test("a host that cannot tell whether a setting has another owner changes nothing", async () => {
  const fake = fakeHost();
  const kind = resources(sysctl, fake);
  const forward = { name: "net.ipv4.ip_forward", value: "1" };
  const { props } = await kind.create(forward, "shop/prod/one");
  await kind.create(forward, "blog/prod/two");
  const before = fake.snapshot();
  fake.withoutTool("awk");
  await expect(kind.delete(props)).rejects.toThrow(/awk: (command )?not found/);
  expect(fake.snapshot()).toBe(before);
});

describe("two stacks that declare the same thing", () => {
  const both = async () => {
    const fake = fakeHost();
    const kind = resources(virtualService, fake);
    const { props } = await kind.create(web, "shop/prod/web");
    return { fake, kind, props };
  };

  test("get an error that names the other, and nothing is changed", async () => {
    const { fake, kind } = await both();
    const before = fake.snapshot();
    await expect(kind.create(web, "blog/prod/front")).rejects.toThrow(
      "cannot create tcp://192.168.0.219:80 on director1: it belongs to shop/prod/web, of another stack; remove it there, or set adopt: true to take it over; removing it there then leaves it alone",
    );
    expect(fake.snapshot()).toBe(before);
  });

  test("may hand it over: the new one adopts it, and the old one's deletion leaves it alone", async () => {
    const { fake, kind, props } = await both();
    const taken = await kind.create({ ...web, scheduler: "rr", adopt: true }, "blog/prod/front");
    expect(fake.owners()).toEqual([line("blog/prod/front")]);
    await expect(kind.update(props, { ...web, scheduler: "lc" })).rejects.toThrow(
      /it belongs to blog\/prod\/front, of another stack/,
    );
    await kind.delete(props);
    expect(fake.lines("ipvs")).toEqual(["-A -t 192.168.0.219:80 -s rr"]);
    await kind.delete(taken.props);
    expect(fake.lines("ipvs")).toEqual([]);
    expect(fake.has("run/pulumi-lvs")).toBe(false);
  });

  test("may hand over many at once, also where the host refuses one that comes along", async () => {
    const fake = fakeHost();
    fake.write("schedulers", "wlc\nrr\n");
    const kind = resources(virtualService, fake);
    const marks = [1, 2];
    const old = await Promise.all(marks.map((fwmark) => kind.create({ fwmark }, `shop/prod/${fwmark}`)));
    const bad = kind.create({ fwmark: 3, scheduler: "sed" }, "blog/prod/bad");
    const taken = marks.map((fwmark) =>
      kind.create({ fwmark, scheduler: "rr", adopt: true }, `blog/prod/${fwmark}`),
    );
    await expect(bad).rejects.toThrow(/Scheduler or persistence engine not found/);
    await Promise.all(taken);
    expect(fake.owners().sort()).toEqual(marks.map((n) => `blog/prod/${n} VirtualService fwmark://${n}`));
    for (const { props } of old) await kind.delete(props);
    expect(fake.lines("ipvs")).toEqual(marks.map((n) => `-A -f ${n} -s rr`));
  });

  test("keep what they had where the host refuses what is to be handed over", async () => {
    const fake = fakeHost();
    fake.write("schedulers", "wlc\n");
    const kind = resources(virtualService, fake);
    const marks = [1, 2];
    await Promise.all(marks.map((fwmark) => kind.create({ fwmark }, `shop/prod/${fwmark}`)));
    const before = fake.snapshot();
    const bad = marks.map((fwmark) =>
      kind.create({ fwmark, scheduler: "sed", adopt: true }, `blog/prod/${fwmark}`),
    );
    for (const one of bad) await expect(one).rejects.toThrow(/Scheduler or persistence engine not found/);
    expect(fake.snapshot()).toBe(before);
  });

  test("may both have what is gone from the host: a record without its object keeps no owner away", async () => {
    const { fake, kind } = await both();
    fake.write("ipvs", "");
    await kind.create(web, "blog/prod/front");
    expect(fake.owners()).toEqual([line("blog/prod/front")]);
  });

  test("may stand behind one another: a service stays as long as it has real servers of the other", async () => {
    const { fake, kind, props } = await both();
    const servers = resources(realServer, fake);
    const server = { service: "tcp://192.168.0.219:80", address: "192.168.10.1", port: 80 };
    const guest = await servers.create(server, "blog/prod/web-1");
    await expect(kind.delete(props)).rejects.toThrow(
      "cannot delete tcp://192.168.0.219:80 on director1: the deletion would also delete what another stack has: blog/prod/web-1 RealServer tcp://192.168.0.219:80/192.168.10.1:80; remove that there first, or set adopt: true here and run `pulumi up`, then delete",
    );
    expect(fake.lines("ipvs")).toHaveLength(2);
    await servers.delete(guest.props);
    await kind.delete(props);
    expect(fake.has("run/pulumi-lvs")).toBe(false);
  });

  test("share settings, which are not one's own", async () => {
    const { fake } = await both();
    const kind = resources(sysctl, fake);
    for (const owner of ["shop/prod/forward", "blog/prod/forward"])
      await kind.create({ name: "net.ipv4.ip_forward", value: "1" }, owner);
  });
});

describe("of one stack", () => {
  test("a resource with a new name takes over what the old one had, and the old one's deletion leaves it alone", async () => {
    const fake = fakeHost();
    const kind = resources(virtualService, fake);
    const { props } = await kind.create(web, "shop/prod/old");
    await kind.create(web, "shop/prod/new");
    await kind.delete(props);
    expect(fake.lines("ipvs")).toEqual([entry]);
    expect(fake.owners()).toEqual([line("shop/prod/new")]);
  });

  test("a resource whose creation was never answered goes on from there, also with other settings", async () => {
    const fake = fakeHost();
    const kind = resources(virtualService, fake);
    await kind.create(web, "shop/prod/web");
    await kind.create({ ...web, scheduler: "rr" }, "shop/prod/web");
    expect(fake.lines("ipvs")).toEqual(["-A -t 192.168.0.219:80 -s rr"]);
  });

  test("another resource with other settings is refused", async () => {
    const fake = fakeHost();
    const kind = resources(virtualService, fake);
    await kind.create(web, "shop/prod/web");
    await expect(kind.create({ ...web, scheduler: "rr" }, "shop/prod/other")).rejects.toThrow(
      /it exists already, with other settings: scheduler is "wlc", wanted "rr"/,
    );
  });
});

describe("a program that takes the table for its own", () => {
  const running = (name: string) => {
    const fake = fakeHost();
    fake.runProcess(712, name);
    fake.runProcess(713, name);
    return fake;
  };

  test.each(conflicts)(
    "%s keeps everything away from its host's table, before anything is done",
    async (name) => {
      const fake = running(name);
      const before = fake.snapshot();
      for (const [definition, args] of [
        [virtualService, web],
        [realServer, { service: "tcp://192.168.0.219:80", address: "192.168.10.1", port: 80 }],
        [kernelModule, { name: "ip_vs" }],
      ] as const) {
        await expect(resources(definition, fake).create(args)).rejects.toThrow(
          `${name} runs there and manages the IPVS table; stop it there (systemctl disable --now ${name}), or set alongside: ["${name}"] if it leaves this entry alone`,
        );
      }
      expect(fake.snapshot()).toBe(before);
      expect(fake.changes()).toEqual([]);
    },
  );

  test("may be allowed by name, and another is still refused", async () => {
    const fake = running("keepalived");
    const kind = resources(virtualService, fake);
    const { props } = await kind.create({ ...web, alongside: ["keepalived"] });
    fake.runProcess(800, "kube-proxy");
    await expect(kind.update(props, { ...web, scheduler: "rr", alongside: ["keepalived"] })).rejects.toThrow(
      /kube-proxy runs there/,
    );
  });

  test.each([
    ["real", 1000, 0],
    ["effective", 0, 1000],
    ["real and effective", 1000, 1000],
  ])("is none where its %s user is not root", async (_, real, effective) => {
    const fake = fakeHost();
    fake.runProcess(712, "keepalived", real, effective);
    const kind = resources(virtualService, fake);
    const { props } = await kind.create(web);
    // root's own beside it counts
    fake.runProcess(713, "keepalived");
    await expect(kind.update(props, { ...web, scheduler: "rr" })).rejects.toThrow(/keepalived runs there/);
  });

  test.each(["run", "run/keepalived"])(
    "is none where keepalived does VRRP only, by its files in /%s",
    async (dir) => {
      const fake = fakeHost();
      fake.write(`${dir}/keepalived.pid`, "712\n");
      fake.write(`${dir}/vrrp.pid`, "713\n");
      fake.runProcess(712, "keepalived");
      fake.runProcess(713, "keepalived", 0, 0, 712);
      // it runs a script
      fake.runProcess(900, "keepalived", 0, 0, 713);
      const kind = resources(virtualService, fake);
      const { props } = await kind.create(web);
      // its checks of virtual servers
      fake.runProcess(714, "keepalived", 0, 0, 712);
      await expect(kind.update(props, { ...web, scheduler: "rr" })).rejects.toThrow(/keepalived runs there/);
    },
  );

  test("is none where its program is setuid, which any user can run under any name", async () => {
    const fake = fakeHost();
    fake.runProcess(712, "keepalived");
    fake.write("sudo", "");
    chmodSync(`${fake.root}/sudo`, 0o4755);
    symlinkSync("../../sudo", `${fake.root}/proc/712/exe`);
    await resources(virtualService, fake).create(web);
  });

  test("in another network namespace has another table, and conflicts with no program", async () => {
    const fake = running("keepalived");
    for (const pid of [712, 713]) {
      mkdirSync(`${fake.root}/proc/${pid}/ns`);
      symlinkSync("net:[1]", `${fake.root}/proc/${pid}/ns/net`);
    }
    const kind = resources(virtualService, fake);
    const { props } = await kind.create(web);
    fake.runProcess(714, "keepalived");
    mkdirSync(`${fake.root}/proc/714/ns`);
    symlinkSync(readlinkSync("/proc/self/ns/net"), `${fake.root}/proc/714/ns/net`);
    await expect(kind.update(props, { ...web, scheduler: "rr" })).rejects.toThrow(/keepalived runs there/);
  });

  test("does not keep one's own from being deleted, nor other things from being made", async () => {
    const fake = fakeHost();
    const kind = resources(virtualService, fake);
    const { props } = await kind.create(web);
    fake.runProcess(712, "keepalived");
    await kind.delete(props);
    await resources(virtualAddress, fake).create({ interface: "lo", address: "192.168.0.219" });
    expect(fake.lines("ipvs")).toEqual([]);
  });
});
