import { spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Definition } from "../../../providers/engine/define.js";
import { type Bag, checkInputs } from "../../../providers/engine/inputs.js";
import { inBulk } from "../../../src/host/script.js";
import { definitions } from "../../support/fake/definitions.js";
import { connection, fakeHost, resources } from "../../support/fake/engine.js";
import { type FakeHost, shells } from "../../support/fake/fake-host.js";
import { canaries, hostileText } from "../../support/fake/hostile.js";
import { tally } from "../../support/tally.js";

/** How many times as many values as usual (FUZZ_RUNS=100 for idle hours). */
const times = Math.max(1, Number(process.env.FUZZ_RUNS ?? 0) / 600);

// the fake host would take it for a path of the machine that runs the tests
const isNoPath = (text: string): boolean => !/(^|[^\w.])\/[a-z]/.test(text);

/** A kind of resource with arguments as hostile as its schema lets pass. */
interface Kind {
  readonly count: number;
  readonly args: (text: (allowed: RegExp) => fc.Arbitrary<string>) => fc.Arbitrary<Bag>;
  /** What is in the host's files afterwards, and was not before: lines by file. */
  readonly lines: (inputs: Bag) => Record<string, string>;
  readonly prepare?: (fake: FakeHost) => void;
}

// one of many, all of which the host has
const numbered = (prefix: string, most: number) => fc.nat(most - 1).map((n) => `${prefix}${n}`);
const links = ["lo", "eth0", "a_b", "x..", "dev", "e-1", "all0", "Z9_.-x", "exactly15charsx"];

const withLinks = (fake: FakeHost) => {
  fake.write("links", links.map((name) => `${name}\n`).join(""));
  for (const [i, name] of links.entries()) {
    fake.write(`sys/class/net/${name}/address`, "52:54:00:00:00:05\n");
    fake.write(`sys/class/net/${name}/ifindex`, `${i + 1}\n`);
  }
};
const byte = fc.nat(255);
const unicast = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 223 }), byte, byte, byte).map((parts) => parts.join(".")),
  fc.constantFrom("127.0.0.2", "169.254.0.0", "1.0.0.0", "223.255.255.255"),
);
const unicast6 = fc.constantFrom(
  "::2",
  "::ffff:1.2.3.4",
  "::1.2.3.4",
  "64:ff9b::1.2.3.4",
  "2001:DB8::A",
  "fe80::1",
  "1:0:2:3:4:5:6:7",
  "::1:0",
);
const edge = (...numbers: number[]) => fc.constantFrom(...numbers);

const kinds: Record<string, Kind> = {
  "virtual-service": {
    count: 60,
    args: () =>
      fc.oneof(
        fc.record({
          fwmark: fc.oneof(edge(1, 2 ** 31 - 1, 65536), fc.integer({ min: 1, max: 2 ** 31 - 1 })),
          family: fc.constantFrom("ipv4", "ipv6"),
        }),
        fc.record({
          address: fc.oneof(unicast, unicast6),
          port: fc.oneof(edge(1, 65535), fc.integer({ min: 1, max: 65535 })),
          protocol: fc.constantFrom("tcp", "udp"),
        }),
      ),
    lines: (inputs) => {
      const at = String(inputs.address);
      const flag = inputs.fwmark
        ? `-f ${inputs.fwmark}${inputs.family === "ipv6" ? " -6" : ""}`
        : `${inputs.protocol === "tcp" ? "-t" : "-u"} ${at.includes(":") ? `[${at}]` : at}:${inputs.port}`;
      return { ipvs: `-A ${flag} -s wlc` };
    },
  },
  "real-server": {
    count: 60,
    prepare: (fake) => fake.write("ipvs", "-A -f 1 -6 -s wlc\n-A -f 2147483647 -s wlc\n"),
    args: () =>
      fc
        .record({
          address: fc.oneof(unicast, unicast6),
          port: fc.oneof(edge(0, 65535), fc.nat(65535)),
          weight: fc.oneof(edge(0, -0, 65535), fc.nat(65535)),
          upperThreshold: edge(65534, 65535),
          lowerThreshold: edge(0, -0, 65534),
        })
        .map((args) => ({
          ...args,
          service: args.address.includes(":") ? "x y'$(z)/fwmark://001/ipv6" : "a/fwmark://2147483647",
        })),
    lines: ({ service, address, port, weight, upperThreshold, lowerThreshold }) => {
      const mark = service === "fwmark://1/ipv6" ? "1 -6" : "2147483647";
      const at = `${String(address).includes(":") ? `[${address}]` : address}:${port}`;
      return {
        ipvs: `-a -f ${mark} -r ${at} -g -w ${weight}`,
        thresholds: `-f ${mark}\t${at}\t${upperThreshold}\t${lowerThreshold}`,
      };
    },
  },
  "sync-daemon": {
    count: 2,
    prepare: withLinks,
    args: () =>
      fc.record({
        state: fc.constantFrom("master", "backup"),
        mcastInterface: fc.constantFrom(...links),
        mcastGroup: fc.constantFrom("224.0.0.0", "239.255.255.255", "FF02::1:2", "ff0e::1.2.3.4"),
        syncid: edge(0, -0, 255),
        syncMaxlen: edge(1024, 65487),
      }),
    lines: ({ state, mcastInterface, mcastGroup, syncid, syncMaxlen }) => ({
      daemons: `${state} sync daemon (mcast=${mcastInterface}, syncid=${syncid}, maxlen=${syncMaxlen}, group=${mcastGroup}, port=8848, ttl=1)`,
    }),
  },
  "virtual-address": {
    count: 24,
    prepare: withLinks,
    args: (text) =>
      fc
        .record({
          interface: fc.constantFrom(...links),
          address: fc.oneof(unicast, unicast6),
          tail: text(/^[A-Za-z0-9_-]{1,5}$/),
          broadcast: fc.option(unicast),
        })
        .map(({ tail, broadcast, ...args }) =>
          args.address.includes(":") || args.interface.length > 9
            ? args
            : { ...args, label: `${args.interface}:${tail}`, broadcast },
        ),
    lines: ({ interface: name, address, prefixLength, broadcast, label }) => ({
      addresses: `${name} ${address}/${prefixLength} ${broadcast ?? "-"} ${label ?? "-"} ${String(address).includes(":") ? "nodad deprecated" : "-"}`,
    }),
  },
  "host-route": {
    count: 24,
    prepare: withLinks,
    args: () =>
      fc.record({
        destination: fc.oneof(
          unicast,
          unicast6,
          fc.constantFrom("10.0.0.0/08", "0.0.0.0/32", "2001:DB8::/32"),
        ),
        table: fc.constantFrom("main", "1", "253", "4294967295"),
        metric: fc.oneof(edge(1, 2 ** 31, 2 ** 32 - 1), fc.nat(2 ** 32 - 1)),
        device: fc.constantFrom(...links),
      }),
    lines: ({ destination, table, metric, device }) => {
      const ipv6 = String(destination).includes(":");
      return {
        routes: `${ipv6 ? 6 : 4} ${table} ${String(destination).replace(ipv6 ? /\/128$/ : /\/32$/, "")} - ${device} - ${metric || (ipv6 ? 1024 : 0)}`,
      };
    },
  },
  sysctl: {
    count: 16,
    prepare: (fake) => {
      for (let n = 0; n < 100; n++) fake.write(`proc/sys/net/a.b/-x${n}`, "0\n");
    },
    args: (text) =>
      fc.record({
        name: numbered("net.a/b.-x", 100),
        value: fc
          .oneof(
            fc.constantFrom(...canaries.filter((one) => !one.includes("\n"))),
            text(/^[\x20-\x7e\t]{1,1000}$/),
          )
          .filter((value) => value.trim() !== ""),
      }),
    lines: ({ name, value }) => ({ [`proc/sys/net/a.b/${String(name).slice(8)}`]: String(value) }),
  },
  "kernel-module": {
    count: 4,
    prepare: (fake) => fake.write("modules", Array.from({ length: 10 }, (_, n) => `m_${n} - -\n`).join("")),
    args: (text) =>
      fc.record({
        name: numbered("m-", 10),
        options: fc.dictionary(
          fc.constantFrom("constructor", "toString", "a", "B_9"),
          text(/^[A-Za-z0-9_,.:/-]{1,200}$/),
        ),
      }),
    lines: ({ name, options }) =>
      Object.fromEntries([
        [`sys/module/${name}/refcnt`, "0"],
        ...Object.entries(options as Bag).map(([option, value]) => [
          `sys/module/${name}/parameters/${option}`,
          String(value),
        ]),
      ]),
  },
};

test("what would show that a value was run does show it, where a shell reads the value as its own text", () => {
  const fake = fakeHost();
  const ran = canaries.filter((value) => {
    for (const text of [`echo ${value}`, `echo '${value}'`, `echo "${value}"`, `(echo ${value})`])
      spawnSync("sh", ["-c", text], { cwd: fake.root, stdio: "ignore" });
    const isThere = fake.snapshot().includes("PWNED");
    fake.remove("PWNED");
    return isThere;
  });
  expect(ran).toEqual(canaries);
});

test.for(shells.map((shell) => [shell.join(" "), shell] as const))(
  "words reach a tool as they are, in its arguments or in the lines of ipvsadm -R (%s)",
  async ([, shell], context) => {
    const cases = tally(context, "fuzz");
    const fake = fakeHost({ shell });
    fake.remove("tools/ipvsadm");
    fake.write(
      "tools/ipvsadm",
      `#!/bin/sh
case $1 in
-Sn) ;;
-R) cat >>"$LVS_FAKE_ROOT/lines" ;;
*) printf '%s\\0' "$@" >>"$LVS_FAKE_ROOT/words"; printf '\\n\\0' >>"$LVS_FAKE_ROOT/words" ;;
esac
`,
    );
    chmodSync(`${fake.root}/tools/ipvsadm`, 0o755);
    const word = fc
      .oneof(
        hostileText,
        fc.string({ minLength: 1, maxLength: 30 }),
        fc.constantFrom("lvs-0123456789abcdef01234567", "EOF", "a b"),
      )
      .filter((one) => one !== "" && one.length < 1000 && isNoPath(one) && !/[\0\p{Cs}]/u.test(one));
    const all = fc
      .sample(fc.array(word, { minLength: 1, maxLength: 5 }), 60 * times)
      .map((words) => ["-a", ...words]);
    cases.tried(all.length);
    await Promise.all(
      all.map((words, i) =>
        fake.host.submit({
          owner: `${words.at(-1)} ${i}`.replaceAll("\n", ""),
          facts: ["ipvs"],
          plan: () => ({ steps: [{ run: ["ipvsadm", ...words], undo: null }] }),
          observe: () => undefined,
          verify: () => undefined,
        }),
      ),
    );
    const transactions = all.map((words) => ({
      owner: "",
      steps: [{ run: ["ipvsadm", ...words], undo: null }],
    }));
    const bulk = inBulk(transactions);
    expect(fake.read("words")).toBe(
      all.flatMap((words, i) => (bulk.has(i) ? [] : [`${words.join("\0")}\0\n\0`])).join(""),
    );
    expect(fake.read("lines")).toBe(
      all.flatMap((words, i) => (bulk.has(i) ? [`${words.join(" ")}\n`] : [])).join(""),
    );
    expect(fake.has("PWNED")).toBe(false);
    cases.held(all.length);
  },
);

describe.each(Object.entries(kinds))("%s", (name, { count, args, lines, prepare }) => {
  const definition = definitions.get(name) as Definition;

  test("has on the host exactly the hostile values that its schema lets pass, runs none of them, and goes without trace", async (context) => {
    const cases = tally(context, "fuzz");
    const fake = fakeHost();
    prepare?.(fake);
    const kind = resources(definition, fake);
    const text = (allowed: RegExp) =>
      fc
        .oneof(
          hostileText.filter((one) => allowed.test(one)),
          fc.stringMatching(allowed, { size: "-1" }),
        )
        .filter(isNoPath);
    const owner = fc
      .oneof(fc.constantFrom(...canaries), hostileText)
      .filter(isNoPath)
      .map((one) => one.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, "").slice(0, 500) || "p/s/n");
    const candidates = fc.sample(fc.tuple(args(text), owner), Math.ceil(count * times * 1.5));
    const all = new Map<string, { given: Bag; inputs: Bag }>();
    for (const [given, by] of candidates) {
      const { inputs, problems } = checkInputs(definition, { connection, owner: by, ...given });
      expect(problems, JSON.stringify(given)).toEqual([]);
      all.set(JSON.stringify(Object.keys(definition.key.shape).map((field) => inputs[field])), {
        given: { ...given, owner: by },
        inputs,
      });
    }
    const chosen = [...all.values()].slice(0, count * times);
    cases.tried(chosen.length);
    const untouched = fake.snapshot();
    const before = new Set(stateLines(untouched));

    const made = await Promise.all(chosen.map(({ given }) => kind.create(given, given.owner as string)));

    const expected = new Set(
      chosen.flatMap(({ inputs }) => Object.entries(lines(inputs)).map(([file, line]) => `${file}: ${line}`)),
    );
    const added = stateLines(fake.snapshot()).filter((line) => !before.has(line));
    const [marks, things] = [
      added.filter((line) => /^(run|etc)\//.test(line)),
      added.filter((line) => !/^(run|etc)\//.test(line)),
    ];
    // directories are there for the sake of their files
    expect(new Set(things.filter((line) => line.includes(": ")))).toEqual(
      new Set([...expected].filter((line) => !before.has(line))),
    );
    const records = marks.filter((line) => line.startsWith("etc/pulumi-lvs/boot: "));
    expect(records).toHaveLength(chosen.length);
    for (const { inputs } of chosen)
      expect(records.join("\n")).toContain(`\t${definition.kind} ${definition.id(inputs)}\t`);
    if (definition.setting)
      for (const { inputs } of chosen)
        expect(records.join("\n")).toContain(`\t${inputs.owner} ${definition.id(inputs)}\t`);
    expect((await Promise.all(made.map(({ props }) => kind.read(props)))).map(({ props }) => props)).toEqual(
      made.map(({ props }) => props),
    );
    await Promise.all(made.map(({ props }) => kind.delete(props)));
    expect(fake.snapshot()).toBe(untouched);
    cases.held(chosen.length);
  });
});

/** Every line of every file of a snapshot, after the file's name. */
const stateLines = (snapshot: string): string[] =>
  snapshot.split("\n").flatMap((entry) => {
    const at = entry.indexOf(": ");
    if (at < 0) return [entry];
    const content = JSON.parse(entry.slice(at + 2)) as string;
    return content
      .split("\n")
      .filter(Boolean)
      .map((line) => `${entry.slice(0, at)}: ${line}`);
  });
