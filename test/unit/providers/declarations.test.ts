import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { DrCluster } from "../../../index.js";
import { Engine } from "../../../providers/engine/engine.js";
import type { Bag } from "../../../providers/engine/inputs.js";
import { unknownValue } from "../../../providers/engine/inputs.js";
import {
  HealthMonitor,
  RealServer,
  Sysctl,
  VirtualAddress,
  VirtualService,
} from "../../../providers/index.js";
import { verbsOf } from "../../../providers/provider.js";
import { fakeHost } from "../../support/fake/engine.js";

const { definition } = VirtualService;
const web = (name: string, more: Bag = {}): Bag => ({
  connection: { host: "director1" },
  owner: `shop/prod/${name}`,
  address: "192.168.0.219",
  port: 80,
  ...more,
});
const entry = "-A -t 192.168.0.219:80 -s wlc";
const markOf = (name: string) => `shop/prod/${name} VirtualService tcp://192.168.0.219:80`;
const twice = (one: string, other: string) =>
  `director1/tcp://192.168.0.219:80 is declared twice: by shop/prod/${one} and by shop/prod/${other}; take one of them out of the program`;

/** A resource in state. */
interface Kept {
  readonly inputs: Bag;
  readonly outs: Bag;
}

/** What a run of Pulumi does with the resources of a program, one after another as they are declared, and what it deletes at the end. */
async function run(
  fake: ReturnType<typeof fakeHost>,
  program: readonly Bag[],
  state = new Map<string, Kept>(),
) {
  const verbs = verbsOf(new Engine(definition, () => fake.host), new Map());
  const after = new Map(state);
  const errors: string[] = [];
  for (const args of program) {
    const name = String(args.owner);
    const old = state.get(name);
    const { inputs, failures } = verbs.check(old?.inputs ?? {}, args);
    try {
      if (failures[0]) throw new Error(failures[0].reason);
      if (!old) after.set(name, { inputs, outs: (await verbs.create(inputs)).outs });
      else if (verbs.diff("", old.outs, inputs).changes !== false)
        after.set(name, { inputs, outs: (await verbs.update("", old.outs, inputs)).outs });
    } catch (error) {
      errors.push((error as Error).message);
    }
  }
  const wanted = program.map(({ owner }) => owner);
  for (const [name, { outs }] of state) {
    if (errors.length > 0 || wanted.includes(name)) continue;
    await verbs.delete("", outs);
    after.delete(name);
  }
  return { errors, state: after };
}

describe("one thing that two resources of a program declare", () => {
  test("is refused in every run, and stays with the one that has it", async () => {
    const fake = fakeHost();
    const first = await run(fake, [web("a"), web("b")]);
    expect(first.errors).toEqual([twice("a", "b")]);
    for (const program of [
      [web("a"), web("b")],
      [web("a"), web("b", { scheduler: "rr" })],
    ]) {
      const { errors } = await run(fake, program, first.state);
      expect(errors).toEqual([twice("a", "b")]);
      expect(fake.owners()).toEqual([markOf("a")]);
      expect(fake.lines("ipvs")).toEqual([entry]);
    }
  });

  test("is refused too where the new one is declared first", async () => {
    const fake = fakeHost();
    const { state } = await run(fake, [web("a")]);
    const { errors } = await run(fake, [web("b"), web("a")], state);
    expect(errors).toEqual([twice("b", "a")]);
  });

  test("stays with one when the other goes, where both had it before that was refused", async () => {
    const fake = fakeHost();
    const state = new Map((await run(fake, [web("a")])).state);
    // as it was: in a run of its own, the second took over without a word
    const { state: second } = await run(fake, [web("b")]);
    for (const [name, kept] of second) state.set(name, kept);
    expect(fake.owners()).toEqual([markOf("b")]);
    expect((await run(fake, [web("a"), web("b")], state)).errors).toEqual([twice("a", "b")]);
    const { errors } = await run(fake, [web("a", { scheduler: "rr" })], state);
    expect(errors).toEqual([]);
    expect(fake.lines("ipvs")).toEqual(["-A -t 192.168.0.219:80 -s rr"]);
    expect(fake.owners()).toEqual([markOf("a")]);
  });

  test("is given to the one that stays also where nothing of that one changes", async () => {
    const fake = fakeHost();
    const { state } = await run(fake, [web("a")]);
    const { state: second } = await run(fake, [web("b")]);
    const both = new Map([...state, ...second]);
    const { errors } = await run(fake, [web("a")], both);
    expect(errors).toEqual([]);
    expect(fake.lines("ipvs")).toEqual([entry]);
    expect(fake.owners()).toEqual([markOf("a")]);
  });

  test("by two names of its host is refused by what the host says", async () => {
    const elsewhere = web("b", { connection: { host: "10.0.0.1" } });
    const fake = fakeHost();
    const { state, errors } = await run(fake, [web("a"), elsewhere]);
    expect(errors).toEqual([
      "cannot create tcp://192.168.0.219:80 on 10.0.0.1: it belongs to shop/prod/a, of this program, which declares it too; take one of them out of the program",
    ]);
    const again = await run(fake, [elsewhere, web("a")], state);
    expect(again.errors).toEqual([twice("b", "a")]);
  });

  test("may change hands: by a new name, by an alias, and when two change places", async () => {
    const fake = fakeHost();
    const first = await run(fake, [web("a")]);
    const renamed = await run(fake, [web("b")], first.state);
    expect(renamed.errors).toEqual([]);
    expect(fake.owners()).toEqual([markOf("b")]);

    // by an alias, the old name stays on the host
    const [kept] = renamed.state.values();
    const aliased = new Map([["shop/prod/c", kept as Kept]]);
    const under = await run(fake, [web("c")], aliased);
    const changed = await run(fake, [web("c", { scheduler: "rr" })], under.state);
    expect([...under.errors, ...changed.errors]).toEqual([]);
    expect(fake.owners()).toEqual([markOf("b")]);
    expect((await run(fake, [], changed.state)).errors).toEqual([]);
    expect(fake.lines("ipvs")).toEqual([]);
  });

  test("may change places with another's on another host", async () => {
    const [one, two] = [fakeHost(), fakeHost()];
    const on = (host: string) => ({ connection: { host } });
    const of = (host: string) => (host === "director1" ? one : two);
    const verbs = () => verbsOf(new Engine(definition, (connection) => of(connection.host).host), new Map());
    const before = verbs();
    const make = async (all: ReturnType<typeof verbs>, olds: Bag, args: Bag) => {
      const { inputs, failures } = all.check(olds, args);
      expect(failures).toEqual([]);
      // Pulumi checks a replacement once more, as if there had been nothing
      expect(all.check({}, args).failures).toEqual([]);
      return (await all.create(inputs)).outs;
    };
    const a = await make(before, {}, web("a", on("director1")));
    const b = await make(before, {}, web("b", on("director2")));
    const after = verbs();
    await make(after, a, web("a", on("director2")));
    await make(after, b, web("b", on("director1")));
    await after.delete("", a);
    await after.delete("", b);
    expect([one, two].map((fake) => fake.owners())).toEqual([[markOf("b")], [markOf("a")]]);
    expect([one, two].map((fake) => fake.lines("ipvs"))).toEqual([[entry], [entry]]);
  });

  test("is not looked for where the preview does not know it, nor in what is shared", () => {
    const failures = (kind: typeof VirtualService.definition, all: Bag[]) => {
      const verbs = verbsOf(new Engine(kind, () => fakeHost().host), new Map());
      return all.flatMap((args) => verbs.check({}, args).failures);
    };
    const unknown = (name: string) => web(name, { address: unknownValue });
    expect(failures(definition, [unknown("a"), unknown("b")])).toEqual([]);
    const forward = { connection: { host: "director1" }, name: "net.ipv4.ip_forward", value: "1" };
    const both = ["a", "b"].map((name) => ({ ...forward, owner: `shop/prod/${name}` }));
    expect(failures(Sysctl.definition, both)).toEqual([]);
    const health = { connection: { host: "director1" }, service: "tcp://192.168.0.219:80" };
    const monitors = ["a", "b"].map((name) => ({ ...health, owner: `shop/prod/${name}` }));
    expect(failures(HealthMonitor.definition, monitors)).toHaveLength(1);
  });
});

/** Runs a program whose providers are not asked. */
async function program(declare: () => void): Promise<void> {
  await pulumi.runtime.setMocks(
    { newResource: ({ name, inputs }) => ({ id: name, state: inputs }), call: () => ({}) },
    "shop",
    "prod",
  );
  try {
    declare();
  } finally {
    await pulumi.runtime.disconnect();
  }
}

describe("a program that declares one thing twice", () => {
  const connection = { host: "director1" };
  const vip = { connection, interface: "eth0", address: "192.168.0.219" };

  test("ends where it does so, in a preview and in up", async () => {
    await expect(
      program(() => {
        new VirtualAddress("one", vip);
        new VirtualAddress("two", { ...vip, prefixLength: 24 });
      }),
    ).rejects.toThrow(
      "director1/eth0/192.168.0.219 is declared twice: by shop/prod/one and by shop/prod/two; take one of them out of the program",
    );
  });

  test("also by one name under two parents, and by another form of the address", async () => {
    class Parent extends pulumi.ComponentResource {}
    await expect(
      program(() => {
        for (const [type, address] of ["2001:db8::1", "2001:DB8:0::1"].entries())
          new VirtualAddress("vip", { ...vip, address }, { parent: new Parent(`test:index:P${type}`, "p") });
      }),
    ).rejects.toThrow("is declared twice, each time by shop/prod/vip");
  });

  test("by two clusters is refused, and so is one address of two real servers", async () => {
    const args = (port: number, addresses: string[]) => ({
      director: { connection, interface: "eth0" },
      vips: ["192.168.0.210"],
      services: [{ port }],
      realServers: addresses.map((address, i) => ({ name: `server-${port}-${i}`, address })),
    });
    await expect(
      program(() => {
        new DrCluster("web", args(80, ["192.168.0.221"]));
        new DrCluster("shop", args(80, ["192.168.0.222"]));
      }),
    ).rejects.toThrow(
      "services[0]: tcp port 80 at 192.168.0.210 on director1 is that of web.services[0], too; they need another protocol, port or VIP",
    );
    await expect(
      program(() => new DrCluster("web", args(80, ["192.168.0.221", "192.168.0.221"]))),
    ).rejects.toThrow("  realServers[1]: 192.168.0.221 is that of realServers[0], too");
  });

  test("by one name of two real servers is refused, also where one has its address for a name", async () => {
    const twoOf = (first: object, second: object) =>
      program(
        () =>
          new DrCluster("web", {
            director: { connection, interface: "eth0" },
            vips: ["192.168.0.210"],
            services: [{ port: 80 }],
            realServers: [
              { address: "192.168.0.221", ...first },
              { address: "192.168.0.222", ...second },
            ],
          }),
      );
    await expect(twoOf({ name: "one" }, { name: "one" })).rejects.toThrow(
      "  realServers[1]: one is the name of realServers[0], too; give each its own name",
    );
    await expect(twoOf({}, { name: "192.168.0.221" })).rejects.toThrow("is the name of realServers[0], too");
  });

  test("may do so with settings, with what is not known yet, and with what it only reads", async () => {
    await program(() => {
      for (const name of ["one", "two"]) {
        new Sysctl(name, { connection, name: "net.ipv4.ip_forward", value: "1" });
        new RealServer(name, { connection, service: pulumi.output("x"), address: "192.168.0.221", port: 80 });
        VirtualAddress.get(name, vip);
      }
    });
    // another run in the same process
    for (let i = 0; i < 2; i++) await program(() => void new VirtualAddress("one", vip));
  });
});
