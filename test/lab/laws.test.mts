import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Definition } from "../../providers/engine/define.js";
import type { Bag } from "../../providers/engine/inputs.js";
import { schedulers } from "../../providers/virtual-service/schedulers.js";
import { Host } from "../../src/host/host.js";
import { RemoteShell } from "../../src/host/remote-shell.js";
import { openShell } from "../../src/ssh/open-shell.js";
import { definitions } from "../support/fake/definitions.js";
import { resources } from "../support/fake/engine.js";
import { FakeHost } from "../support/fake/fake-host.js";
import { run, sshConfigPath } from "../support/machines/lab.mts";
import { tally } from "../support/tally.js";
import { differences, type States, statesOf } from "./host-state.mts";
import { onLab } from "./setup.mts";

const director = { host: "director" };

const octet = fc.nat(255);
// neither the lab's own networks nor loopback, and of one half of all addresses: ipvsadm's order wraps around beyond
const far = fc
  .tuple(fc.integer({ min: 20, max: 99 }), octet, octet, fc.integer({ min: 1, max: 254 }))
  .map((parts) => parts.join("."));
const far6 = fc
  .array(fc.integer({ min: 1, max: 0xffff }), { minLength: 6, maxLength: 6 })
  .map((parts) => `2001:db8:${parts.map((n) => n.toString(16)).join(":")}`);
const port = fc.integer({ min: 1, max: 65535 });

/** Arguments of a kind that the lab's director can have, and what its own tools then print. */
interface Kind {
  readonly count: number;
  readonly key: fc.Arbitrary<Bag>;
  readonly config: fc.Arbitrary<Bag>;
  readonly id: (key: Bag) => string;
  /** Prints what there is of this kind. */
  readonly command: string;
  /** The lines of it that are of one resource, without blanks at either end. */
  readonly line: (key: Bag, config: Bag) => string;
}

const flagOf = ({ fwmark, family, protocol, address, port }: Bag): string => {
  if (fwmark) return `-f ${fwmark}${family === "ipv6" ? " -6" : ""}`;
  const at = String(address);
  return `${protocol === "udp" ? "-u" : "-t"} ${at.includes(":") ? `[${at}]` : at}:${port}`;
};

// this kernel has no ip_vs_twos, which came later
const here = schedulers.filter((name) => name !== "twos");

const dotted = (bits: number): string =>
  [0, 8, 16, 24].map((from) => 256 - 2 ** (8 - Math.min(8, Math.max(0, bits - from)))).join(".");

const kinds: Record<string, Kind> = {
  "virtual-service": {
    count: 100,
    key: fc.oneof(
      fc.record({ protocol: fc.constantFrom("tcp", "udp"), address: fc.oneof(far, far6), port }),
      fc.record({
        fwmark: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        family: fc.constantFrom("ipv4", "ipv6"),
      }),
    ),
    config: fc.record({
      scheduler: fc.constantFrom(...here),
      persistence: fc.option(
        fc.record({
          timeout: fc.integer({ min: 1, max: 2678400 }),
          netmask: fc.integer({ min: 1, max: 31 }),
        }),
      ),
    }),
    id: flagOf,
    command: "ipvsadm -Sn",
    line: (key, { scheduler, persistence }) => {
      const { timeout, netmask } = (persistence ?? {}) as { timeout?: number; netmask?: number };
      const ipv6 = key.family === "ipv6" || String(key.address).includes(":");
      const mask = netmask === undefined ? "" : ` -M ${ipv6 ? netmask : dotted(netmask)}`;
      return `-A ${flagOf(key)} -s ${scheduler}${timeout === undefined ? "" : ` -p ${timeout}`}${mask}`;
    },
  },
  "real-server": {
    count: 100,
    key: fc.record({ service: fc.constant("tcp://10.9.9.9:443"), address: far, port }),
    config: fc.record({ forwarding: fc.constant("masquerading"), weight: fc.nat(65535) }),
    id: ({ address, port }) => `${address}:${port}`,
    command: "ipvsadm -Sn",
    line: ({ address, port }, { weight }) => `-a -t 10.9.9.9:443 -r ${address}:${port} -m -w ${weight}`,
  },
  "virtual-address": {
    count: 24,
    key: fc.record({
      interface: fc.constantFrom("lo", "eth1", "eth2"),
      address: fc
        .tuple(fc.integer({ min: 20, max: 23 }), octet, fc.integer({ min: 1, max: 254 }))
        .map((parts) => `172.${parts.join(".")}`),
    }),
    config: fc.record({
      prefixLength: fc.integer({ min: 24, max: 32 }),
      broadcast: fc.option(fc.constant("172.23.255.255")),
      announce: fc.constant(false),
    }),
    id: ({ interface: name, address }) => `${name} ${address}`,
    // which of a network's addresses came first means nothing here
    command: "ip -o -4 addr show | sed 's/^[0-9]*: //; s/ *scope.*//; s/  */ /g'",
    line: ({ interface: name, address }, { prefixLength, broadcast }) =>
      `${name} inet ${address}/${prefixLength}${broadcast ? ` brd ${broadcast}` : ""}`,
  },
  "host-route": {
    count: 40,
    key: fc.record({
      destination: fc
        .tuple(fc.integer({ min: 24, max: 27 }), octet, octet)
        .map((parts) => `172.${parts.join(".")}`),
      metric: fc.nat(2 ** 32 - 1),
    }),
    config: fc.oneof(
      fc.record({ device: fc.constantFrom("lo", "eth1", "eth2") }),
      fc.record({ via: fc.integer({ min: 100, max: 254 }).map((n) => `192.168.10.${n}`) }),
    ),
    id: ({ destination, metric }) => `${destination} ${metric}`,
    command: "ip -4 route show | sed 's/ scope link//; s/ *$//'",
    line: ({ destination, metric }, { device, via }) =>
      `${destination} ${via ? `via ${via} dev eth2` : `dev ${device}`}${metric === 0 ? "" : ` metric ${metric}`}`,
  },
  sysctl: {
    count: 12,
    key: fc
      .tuple(
        fc.constantFrom("lo", "eth1", "eth2"),
        fc.constantFrom("tag", "medium_id", "arp_ignore", "arp_announce"),
      )
      .map(([place, leaf]) => ({ name: `net.ipv4.conf.${place}.${leaf}` })),
    config: fc.record({ value: fc.nat(2).map(String) }),
    id: ({ name }) => String(name),
    command: "sysctl net.ipv4.conf",
    line: ({ name }, { value }) => `${name} = ${value}`,
  },
};

type All = readonly { readonly key: Bag; readonly a: Bag; readonly b: Bag }[];

/** The lines that a command prints on the director. */
const shown = async (command: string): Promise<string[]> =>
  (await run("director", command)).stdout
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);

const lineCount = (lines: readonly string[]): string[] => [...lines].sort();

onLab("the laws of resources, on real kernels", () => {
  let host: Host;
  let clean: States;

  beforeAll(async () => {
    process.env.LVS_SSH_CONFIG = sshConfigPath();
    await run("director", `modprobe -a ip_vs ${here.map((name) => `ip_vs_${name}`).join(" ")}`);
    await run("director", "ipvsadm -A -t 10.9.9.9:443 -s wlc; ip addr add 172.20.0.1/24 dev eth1");
    clean = await statesOf(["director"]);
    // Each reading asks the host anew, because the tests change it by hand.
    host = new Host("director", async () => RemoteShell.open("director", await openShell(director)));
  });

  afterAll(() => host?.close());

  describe.each(Object.entries(kinds))("%s", (name, { count, key, config, id, command, line }) => {
    const definition = definitions.get(name) as Definition;
    const [all] = fc.sample(
      fc.uniqueArray(fc.record({ key, a: config, b: config }), {
        selector: (one) => id(one.key),
        minLength: count,
        maxLength: count,
        size: "max",
      }),
      1,
    ) as unknown as [All];
    const at = (args: Bag) => ({ ...args, connection: director });
    const own = (of: "a" | "b") => all.map((one) => line(one.key, one[of]));

    it(`${count} are found as they were asked for, change nothing when asked for again, change and change back, and go without trace, twice`, async (context) => {
      const cases = tally(context, "laws");
      cases.tried(all.length);
      const kind = resources(definition, { host });
      const before = await shown(command);
      const found = before.filter(
        (one) => !(name === "sysctl" && all.some((each) => one.startsWith(`${each.key.name} = `))),
      );
      const expected = (of: "a" | "b") => lineCount([...found, ...own(of)]);

      const made = await Promise.all(all.map((one) => kind.create(at({ ...one.key, ...one.a }))));
      expect(lineCount(await shown(command))).toEqual(expected("a"));
      const first = await statesOf(["director"]);
      expect(
        (await Promise.all(made.map(({ props }) => kind.read(props)))).map(({ props }) => props),
      ).toEqual(made.map(({ props }) => props));
      await Promise.all(all.map((one) => kind.create(at({ ...one.key, ...one.a }))));
      expect(differences(first, await statesOf(["director"]))).toEqual([]);

      const changed = await Promise.all(
        made.map(({ props }, i) => kind.update(props, at({ ...all[i]?.key, ...all[i]?.b }))),
      );
      expect(lineCount(await shown(command))).toEqual(expected("b"));
      await Promise.all(changed.map((props, i) => kind.update(props, at({ ...all[i]?.key, ...all[i]?.a }))));
      expect(lineCount(await shown(command))).toEqual(expected("a"));

      for (const _ of ["once", "twice"]) {
        await Promise.all(made.map(({ props }) => kind.delete(props)));
        expect(differences(clean, await statesOf(["director"]))).toEqual([]);
      }
      cases.held(all.length);
    }, 900_000);
  });

  it("the emulated host and the real one have the same table after the same changes, in whatever order", async (context) => {
    const cases = tally(context, "laws");
    await using fake = new FakeHost();
    fake.write("ipvs", "-A -t 10.9.9.9:443 -s wlc\n");
    const wanted = (["virtual-service", "real-server"] as const).flatMap((name) => {
      const { key, config, id } = kinds[name] as Kind;
      const unique = fc.uniqueArray(fc.record({ key, a: config, b: config }), {
        selector: (one) => id(one.key),
        minLength: 40,
        maxLength: 40,
        size: "max",
      });
      return (fc.sample(unique, 1)[0] as All).map((one) => ({
        definition: definitions.get(name) as Definition,
        ...one,
      }));
    });
    cases.tried(wanted.length);
    const real = (definition: Definition) => resources(definition, { host });
    const emulated = (definition: Definition) => resources(definition, fake);
    const same = async () =>
      expect(blocks((await run("director", "ipvsadm -Sn")).stdout)).toEqual(blocks(fake.read("ipvs")));
    const create = (of: typeof real, list: typeof wanted) =>
      Promise.all(
        list.map(({ definition, key, a }) => of(definition).create({ ...key, ...a, connection: director })),
      );

    const made = {
      real: await create(real, wanted),
      emulated: (await create(emulated, [...wanted].reverse())).reverse(),
    };
    await same();
    for (const [of, props] of [
      [real, made.real],
      [emulated, made.emulated],
    ] as const)
      await Promise.all(
        wanted.map(({ definition, key, b }, i) =>
          of(definition).update((props[i] as { props: Bag }).props, { ...key, ...b, connection: director }),
        ),
      );
    await same();
    for (const [of, props] of [
      [real, made.real],
      [emulated, made.emulated],
    ] as const)
      await Promise.all(
        wanted.flatMap(({ definition }, i) =>
          i % 2 ? [of(definition).delete((props[i] as { props: Bag }).props)] : [],
        ),
      );
    await same();
    for (const [of, props] of [
      [real, made.real],
      [emulated, made.emulated],
    ] as const)
      await Promise.all(
        wanted.map(({ definition }, i) => of(definition).delete((props[i] as { props: Bag }).props)),
      );
    await same();
    expect(differences(clean, await statesOf(["director"]))).toEqual([]);
    cases.held(wanted.length);
  }, 900_000);
});

/** The table's services with their real servers, whatever their order. */
const blocks = (table: string): string[][] =>
  table
    .split(/^(?=-A )/m)
    .map((block) =>
      block
        .split("\n")
        .map((line) => line.trim())
        .filter(Boolean)
        .sort(),
    )
    .filter((block) => block.length > 0)
    .sort((one, other) => (String(one) < String(other) ? -1 : 1));
