import { describe, expect, test } from "vitest";
import { rules } from "../../../policy/rules/index.js";
import { seenIn } from "../../../policy/stack.js";
import type { Bag, Seen } from "../../../policy/view.js";

interface Extra {
  readonly isProtected?: boolean;
  readonly needs?: readonly string[];
  readonly isLocalnode?: boolean;
}

const seen = (
  kind: string,
  name: string,
  props: Bag,
  { isProtected = false, needs = [], ...more }: Extra = {},
): Seen => ({
  ...{ kind, name, urn: `urn:${name}`, isProtected, needs: new Set(needs), ...more },
  props: { connection: { host: "director1" }, ...props },
});

const service = (props: Bag = {}) =>
  seen("VirtualService", "web", { protocol: "tcp", address: "192.168.0.210", port: 80, ...props });
const server = (last: number, weight: number | undefined, props: Bag = {}, extra: Extra = {}) =>
  seen(
    "RealServer",
    `web-${last}`,
    {
      service: "director1/tcp://192.168.0.210:80",
      address: `192.168.0.${last}`,
      port: 80,
      ...(weight === undefined ? {} : { weight }),
      ...props,
    },
    extra,
  );

/** Returns the violations of a rule, in short. */
function of(
  name: string,
  resources: readonly Seen[],
  config: Bag = {},
  more: { before?: Seen[]; tags?: Bag } = {},
) {
  const rule = rules.find((one) => one.name === name);
  if (!rule) throw new Error(`there is no rule ${name}`);
  const tags = new Map(Object.entries((more.tags ?? {}) as Record<string, string>));
  const view = { resources, tags, ...(more.before ? { before: more.before } : {}) };
  return rule.check(view, config).map(({ message, urn }) => `${urn}: ${message}`);
}

test("each rule has a name, a configuration whose fields have a default, and a list of exceptions", () => {
  expect(new Set(rules.map(({ name }) => name))).toHaveLength(rules.length);
  for (const { name, fields } of rules) {
    expect(fields, name).toHaveProperty("except");
    for (const field of Object.values(fields)) expect(field).toHaveProperty("default");
  }
});

test("the servers of a pool are evaluated like those of resources", () => {
  const pool = (...weights: number[]) =>
    service({
      realServers: Object.fromEntries(weights.map((weight, i) => [`192.168.0.${11 + i}:80`, { weight }])),
    });
  expect(of("member-with-weight", [pool(0, 0)])).toEqual(
    of("member-with-weight", [service(), server(11, 0), server(12, 0)]),
  );
  expect(
    of("removed-weight", [pool(1, 0)], {}, { before: [service(), server(11, 1), server(12, 9)] }),
  ).toEqual([
    "urn:web: tcp://192.168.0.210:80 on director1: the update removes 9 of 10 of its weight, 90 %; at most 50 % may go at once",
  ]);
  expect(
    of("removed-weight", [service(), server(11, 1), server(12, 9)], {}, { before: [pool(1, 9)] }),
  ).toEqual([]);
  expect(of("arp-suppression", [pool(1)])).toHaveLength(1);
});

describe("member-with-weight", () => {
  const rule = (resources: Seen[], config: Bag = {}) => of("member-with-weight", resources, config);

  test("refuses a service whose servers all have weight 0", () => {
    expect(rule([service(), server(1, 0), server(2, 0)])).toEqual([
      "urn:web: tcp://192.168.0.210:80 on director1: 0 of 2 real servers have a weight above 0; at least 1 must",
    ]);
    expect(rule([server(1, 0)])).toHaveLength(1);
  });

  test("accepts one with a server, a weight that is not known, and a service without servers of this stack", () => {
    expect(rule([service(), server(1, 0), server(2, 3)])).toEqual([]);
    expect(rule([service(), server(1, 0), server(2, undefined)])).toEqual([]);
    expect(rule([service()])).toEqual([]);
  });

  test("counts servers by director and service", () => {
    const elsewhere = { connection: { host: "director2" } };
    expect(rule([service(), server(1, 0), server(2, 1, elsewhere)])).toHaveLength(1);
    expect(rule([service(), server(1, 0), server(2, 1, { service: "udp://192.168.0.210:80" })])).toHaveLength(
      1,
    );
  });

  test("is configured", () => {
    const two = [service(), server(1, 1), server(2, 0)];
    expect(rule(two, { minimum: 2 })).toHaveLength(1);
    expect(rule([service(), server(1, 1)], { minimum: 2 })).toEqual([]);
    const none = [service(), server(1, 0)];
    expect(rule(none, { except: ["tcp://192.168.0.210:80"] })).toEqual([]);
    expect(rule(none, { except: ["web"] })).toEqual([]);
    expect(rule(none, { except: ["other"] })).toHaveLength(1);
  });
});

describe("health-monitor", () => {
  const prod = { tags: { environment: "prod" } };
  const monitor = (props: Bag = {}) =>
    seen("HealthMonitor", "health", { service: "tcp://192.168.0.210:80", ...props });

  test("refuses a service without a monitor where the stack has the tag", () => {
    expect(of("health-monitor", [service()], {}, prod)).toEqual([
      "urn:web: tcp://192.168.0.210:80 on director1 has no health monitor; declare `health`",
    ]);
    expect(of("health-monitor", [service(), monitor()], {}, prod)).toEqual([]);
    expect(
      of("health-monitor", [service(), monitor({ service: "udp://192.168.0.210:80" })], {}, prod),
    ).toHaveLength(1);
    expect(of("health-monitor", [service(), monitor({ connection: { host: "b" } })], {}, prod)).toHaveLength(
      1,
    );
  });

  test("leaves other stacks alone, and is configured", () => {
    expect(of("health-monitor", [service()])).toEqual([]);
    expect(of("health-monitor", [service()], {}, { tags: { environment: "test" } })).toEqual([]);
    expect(of("health-monitor", [service()], { tag: "" })).toHaveLength(1);
    expect(
      of("health-monitor", [service()], { tag: "tier", value: "1" }, { tags: { tier: "1" } }),
    ).toHaveLength(1);
    expect(of("health-monitor", [service()], { except: ["web"] }, prod)).toEqual([]);
  });
});

describe("removed-weight", () => {
  const before = [service(), server(1, 2), server(2, 1), server(3, 1)];
  const rule = (after: Seen[], config: Bag = {}) => of("removed-weight", after, config, { before });

  test("refuses an update that takes more than half of the weight", () => {
    expect(rule([service(), server(2, 1)])).toEqual([
      "urn:web: tcp://192.168.0.210:80 on director1: the update removes 3 of 4 of its weight, 75 %; at most 50 % may go at once",
    ]);
    // a server that is quiesced is out as well, and one that comes does not make up for it
    expect(rule([service(), server(1, 0), server(2, 0), server(3, 1), server(4, 9)])).toHaveLength(1);
    expect(rule([])).toHaveLength(1);
  });

  test("accepts what is within the share, and needs a state from before", () => {
    expect(rule([service(), server(1, 2)])).toEqual([]);
    expect(rule([service(), server(1, 9), server(2, 0)])).toEqual([]);
    expect(of("removed-weight", [service()])).toEqual([]);
  });

  test("is configured", () => {
    expect(rule([service(), server(1, 2), server(2, 1)], { percent: 20 })).toHaveLength(1);
    expect(rule([service()], { percent: 100 })).toEqual([]);
    expect(rule([], { except: ["tcp://192.168.0.210:80"] })).toEqual([]);
  });
});

describe("last-server-protected", () => {
  const name = "last-server-protected";

  test("refuses a last server that is not protected", () => {
    expect(of(name, [service(), server(1, 1), server(2, 0)])).toEqual([
      "urn:web-1: tcp://192.168.0.210:80 on director1: web-1 is the last server; give it the option `protect: true`",
    ]);
    expect(of(name, [service(), server(1, 1, {}, { isProtected: true })])).toEqual([]);
    expect(of(name, [service(), server(1, 1), server(2, 1)])).toEqual([]);
  });

  test("is configured", () => {
    expect(of(name, [service(), server(1, 1), server(2, 1)], { servers: 2 })).toHaveLength(2);
    expect(of(name, [service(), server(1, 1)], { except: ["web"] })).toEqual([]);
  });
});

describe("arp-suppression", () => {
  const arp = (host: string) => seen("ArpSuppression", `arp-${host}`, { connection: { host } });
  const rule = (resources: Seen[], config: Bag = {}) => of("arp-suppression", resources, config);

  test("refuses a server that no ARP suppression precedes", () => {
    expect(rule([server(1, 1), arp("rs2")])).toEqual([
      "urn:web-1: tcp://192.168.0.210:80: real server 192.168.0.1 has no ARP suppression; declare ArpSuppression on its host, and let the real server depend on it",
    ]);
    expect(rule([server(1, 1, {}, { needs: ["urn:arp-rs1"] }), arp("rs1")])).toEqual([]);
    expect(rule([server(1, 1), arp("192.168.0.1")])).toEqual([]);
  });

  test("refuses a server that depends on the ARP suppression of another host", () => {
    const after = (host: string) => [
      server(1, 1, {}, { needs: [`urn:arp-${host}`] }),
      server(2, 1),
      arp(host),
    ];
    const refused = (host: string) => rule(after(host)).filter((one) => one.startsWith("urn:web-1:"));
    expect(refused("192.168.0.2")).toHaveLength(1);
    expect(refused("director1")).toHaveLength(1);
    // a name, and an address by which only the host is managed
    expect(refused("rs1")).toEqual([]);
    expect(refused("10.0.0.1")).toEqual([]);
  });

  test("leaves LVS/NAT, IPv6 and the director itself alone, and is configured", () => {
    expect(rule([server(1, 1, { forwarding: "masquerading" })])).toEqual([]);
    expect(rule([server(1, 1, { address: "2001:db8::1" })])).toEqual([]);
    expect(rule([server(1, 1, { address: "127.0.0.1" })])).toEqual([]);
    expect(rule([server(1, 1, { connection: { host: "192.168.0.1" } })])).toEqual([]);
    expect(rule([server(1, 1, {}, { isLocalnode: true })])).toEqual([]);
    expect(rule([server(1, 1)], { except: ["192.168.0.1"] })).toEqual([]);
    expect(rule([server(1, 1)], { except: ["web-1"] })).toEqual([]);
  });
});

describe("host-key", () => {
  const open = { host: "director1", insecureIgnoreHostKey: true };

  test("refuses a connection that does not check the key, once for each host", () => {
    expect(of("host-key", [service({ connection: open }), server(1, 1, { connection: open })])).toEqual([
      "urn:web: the host key of director1 is not checked (web and 1 more); put it into known_hosts, and leave out insecureIgnoreHostKey",
    ]);
    const proxied = { host: "director1", proxy: { host: "bastion", insecureIgnoreHostKey: true } };
    expect(of("host-key", [service({ connection: proxied })])).toHaveLength(1);
    expect(of("host-key", [seen("ServiceProbe", "probe", { from: open })])).toHaveLength(1);
    expect(of("host-key", [service({ connection: { ...open, insecureIgnoreHostKey: false } })])).toEqual([]);
  });

  test("is configured", () => {
    expect(of("host-key", [service({ connection: open })], { except: ["director1"] })).toEqual([]);
  });
});

describe("persistence", () => {
  test("is off by default, and refuses a service that it does not name", () => {
    expect(rules.find(({ name }) => name === "persistence")?.level).toBe("disabled");
    expect(of("persistence", [service({ persistence: null })])).toEqual([
      "urn:web: tcp://192.168.0.210:80 on director1 has no persistence; declare it, or name the service in `except` of the rule",
    ]);
    expect(of("persistence", [service({ persistence: { timeout: 300 } })])).toEqual([]);
    expect(of("persistence", [service()], { except: ["tcp://192.168.0.210:80"] })).toEqual([]);
  });

  test("names a service by its mark", () => {
    const mark = seen("VirtualService", "mark", { fwmark: 10, family: "ipv6" });
    expect(of("persistence", [mark])[0]).toContain("fwmark://10/ipv6 on director1");
  });
});

test("a state's resources are this package's own, those that stay, with all that they depend on", () => {
  const urn = (name: string, kind: string) =>
    `urn:pulumi:prod::lvs::pulumi-nodejs:dynamic/lvs:${kind}::${name}`;
  const entry = (name: string, kind: string, more: object = {}) => ({
    ...{
      urn: urn(name, kind),
      type: `pulumi-nodejs:dynamic/lvs:${kind}`,
      inputs: {},
      outputs: { weight: 2 },
    },
    ...more,
  });
  const found = seenIn(
    JSON.stringify({
      deployment: {
        resources: [
          { urn: "urn:pulumi:prod::lvs::pulumi:pulumi:Stack::lvs-prod", type: "pulumi:pulumi:Stack" },
          entry("arp", "ArpSuppression"),
          entry("vip", "VirtualAddress", { dependencies: [urn("arp", "ArpSuppression")] }),
          entry("web", "RealServer", { dependencies: [urn("vip", "VirtualAddress")], protect: true }),
          entry("old", "RealServer", { delete: true }),
        ],
      },
    }),
  );
  expect(found.map(({ name }) => name)).toEqual(["arp", "vip", "web"]);
  expect(found[2]).toMatchObject({ kind: "RealServer", props: { weight: 2 }, isProtected: true });
  expect([...(found[2]?.needs ?? [])]).toEqual([urn("vip", "VirtualAddress"), urn("arp", "ArpSuppression")]);
});
