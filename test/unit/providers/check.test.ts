import { describe, expect, test } from "vitest";
import type { Definition } from "../../../providers/engine/define.js";
import { Engine } from "../../../providers/engine/engine.js";
import { type Bag, unknownValue } from "../../../providers/engine/inputs.js";
import { hostRoute } from "../../../providers/host-route.js";
import { ipForwarding } from "../../../providers/ip-forwarding.js";
import { kernelModule } from "../../../providers/kernel-module.js";
import { realServer } from "../../../providers/real-server/index.js";
import { sysctl } from "../../../providers/sysctl.js";
import { virtualAddress } from "../../../providers/virtual-address.js";
import { virtualService } from "../../../providers/virtual-service/index.js";
import { definitions } from "../../support/fake/definitions.js";
import { connection } from "../../support/fake/engine.js";

/** An engine that cannot reach any host: whatever it answers, it answers by itself. */
const offline = (definition: Definition) =>
  new Engine(definition, () => {
    throw new Error("a host was asked for");
  });

const check = (definition: Definition, args: Bag) => {
  const { inputs, failures } = offline(definition).check({}, { connection, ...args });
  return { inputs: inputs as Bag, failures };
};
const failures = (definition: Definition, args: Bag) =>
  check(definition, args).failures.map(({ property, reason }) =>
    // a value that is not fit to be shown is not named as a property, or Pulumi would show it
    property === "" ? reason : `${property}: ${reason}`,
  );

const server = { service: "tcp://192.168.0.219:80", address: "192.168.10.11", port: 80 };

describe("a check says what is wrong, and where", () => {
  test.each<[string, Definition, Bag, string[]]>([
    ["a number above the range", realServer, { ...server, weight: 70000 }, ["weight: 70000 is above 65535"]],
    ["a number below the range", realServer, { ...server, weight: -1 }, ["weight: -1 is below 0"]],
    ["a broken number", realServer, { ...server, weight: 1.5 }, ["weight: 1.5 is not a whole number"]],
    [
      "a text for a number",
      realServer,
      { ...server, weight: "3" },
      ['weight: "3" is not a number; write it without quotes'],
    ],
    [
      "a number for a text",
      realServer,
      { ...server, service: 80 },
      ["service: 80 is not a string; write it in quotes"],
    ],
    ["a port above the range", realServer, { ...server, port: 70000 }, ["port: 70000 is above 65535"]],
    [
      "a port above the range, of a service",
      virtualService,
      { address: "192.168.0.219", port: 65536 },
      ["port: 65536 is above 65535"],
    ],
    [
      "what is none of the words",
      realServer,
      { ...server, forwarding: "nat" },
      ['forwarding: "nat" must be one of gatewaying, masquerading; did you mean `masquerading`?'],
    ],
    ["what is missing", realServer, { service: server.service, port: 80 }, ["address: is missing"]],
    [
      "an address that is none",
      realServer,
      { ...server, address: "10.0.0.300" },
      ['address: "10.0.0.300" is not an IP address'],
    ],
    [
      "an address with a zone",
      virtualAddress,
      { interface: "eth0", address: "fe80::1%eth0" },
      ['address: "fe80::1%eth0" is not an IP address'],
    ],
    [
      "an unknown property",
      realServer,
      { ...server, wieght: 3 },
      ["wieght: is not a known property; did you mean `weight`?"],
    ],
    [
      "an unknown property inside another",
      virtualService,
      { fwmark: 1, persistence: { timout: 3 } },
      ["persistence.timout: is not a known property; did you mean `timeout`?"],
    ],
    [
      "an unknown property of the connection",
      realServer,
      { ...server, connection: { host: "a", hots: "b" } },
      ["connection.hots: is not a known property; did you mean `host`?"],
    ],
    [
      "a connection without a host",
      realServer,
      { ...server, connection: {} },
      ["connection.host: is missing"],
    ],
    [
      "a host that is an option",
      realServer,
      { ...server, connection: { host: "-oProxyCommand=x" } },
      ['connection.host: "-oProxyCommand=x" is not a host name or address'],
    ],
    [
      "a proxy's port",
      realServer,
      { ...server, connection: { host: "a", proxy: { host: "b", port: 0 } } },
      ["connection.proxy.port: 0 is below 1"],
    ],
    [
      "a property that every object of JavaScript has",
      realServer,
      { ...server, constructor: "x" },
      ["constructor: is not a known property"],
    ],
    [
      "a property whose name turns the line around",
      realServer,
      { ...server, "\u202ea\nb": 1 },
      ['["\\u202ea\\nb"]: is not a known property'],
    ],
    [
      "what is no number among numbers",
      realServer,
      { ...server, weight: Number.POSITIVE_INFINITY },
      ["weight: Infinity is not a number"],
    ],
    ["a number beyond all", realServer, { ...server, weight: 1e21 }, ["weight: 1e+21 is above 65535"]],
    [
      "a value that a terminal would obey",
      virtualAddress,
      { interface: "\x9b2J\u202e", address: "192.168.0.219" },
      ['interface: "\\u009b2J\\u202e" is not an interface name'],
    ],
    [
      "an owner of two lines, which would be two owners on the host",
      realServer,
      { ...server, owner: "p/s/a\np/s/b" },
      ["owner: has a line break or an invalid character: give the resource another name"],
    ],
    ["no connection", realServer, { ...server, connection: undefined }, ["connection: is missing"]],
    [
      "a port that packets cannot be rewritten to",
      realServer,
      { ...server, port: 8080 },
      ["port: 8080 is not the service's 80, and gatewaying leaves ports as they are"],
    ],
    [
      "a mark and an address",
      virtualService,
      { fwmark: 1, address: "192.168.0.219" },
      ["address: cannot be set with fwmark; leave it out"],
    ],
    [
      "neither mark nor address",
      virtualService,
      {},
      [
        "address: is missing (a service is address and port, or fwmark)",
        "port: is missing (a service is address and port, or fwmark)",
      ],
    ],
    [
      "several things at once",
      realServer,
      { ...server, weight: 70000, address: "x", wieght: 1 },
      [
        'address: "x" is not an IP address',
        "weight: 70000 is above 65535",
        "wieght: is not a known property; did you mean `weight`?",
      ],
    ],
  ])("%s", (_, definition, args, expected) => {
    expect(failures(definition, args)).toEqual(expected);
  });

  test("a long value is cut", () => {
    const [failure] = failures(virtualAddress, { interface: "eth0", address: "x".repeat(500) });
    expect(failure?.length).toBeLessThan(120);
  });

  test.each([
    ["a list for the connection", { connection: [{ host: "a", password: "hunter2" }] }],
    ["a text for the connection", { connection: "root:hunter2@a" }],
    ["a list for the proxy", { connection: { host: "a", proxy: [{ password: "hunter2" }] } }],
    ["a map for the host", { connection: { host: { password: "hunter2" } } }],
    ["the connection for a text", { address: { host: "a", password: "hunter2" } }],
  ])("no secret is in a message about %s", (_, args) => {
    const printed = failures(realServer, { ...server, ...args });
    expect(printed).toHaveLength(1);
    expect(printed[0]).toMatch(/is not a (map|string)|is no/);
    expect(printed[0]).not.toContain("hunter2");
  });

  test("no secret is in a message, even where the secret is what is wrong", () => {
    const printed = JSON.stringify(
      failures(realServer, {
        ...server,
        connection: { host: "a", privateKey: "s3cret", password: ["hunter2"] },
      }),
    );
    expect(printed).toContain("connection.password");
    expect(printed).not.toMatch(/s3cret|hunter2/);
  });
});

describe("a check fills in", () => {
  test("defaults, also those that depend on other fields", () => {
    expect(check(virtualAddress, { interface: "eth0", address: "192.168.0.219" }).inputs).toEqual({
      connection,
      owner: "unknown",
      persist: true,
      interface: "eth0",
      address: "192.168.0.219",
      prefixLength: 32,
      label: null,
      broadcast: null,
      announce: true,
    });
    expect(check(virtualAddress, { interface: "eth0", address: "::1" }).inputs).toMatchObject({
      prefixLength: 128,
    });
    expect(check(virtualService, { fwmark: 1, persistence: {} }).inputs).toMatchObject({
      family: "ipv4",
      persistence: { timeout: 300, netmask: 32 },
    });
    expect(check(virtualService, { address: "::1", port: 1, persistence: {} }).inputs).toMatchObject({
      protocol: "tcp",
      persistence: { netmask: 128 },
    });
  });

  test.each([
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"],
    ["192.168.0.1", "192.168.0.1"],
  ])("the canonical text of %s", (given, canonical) => {
    expect(check(virtualService, { address: given, port: 80 }).inputs.address).toBe(canonical);
  });

  test("the canonical text of services and destinations", () => {
    expect(
      check(realServer, { ...server, service: "director1/tcp://[2001:DB8::0:1]:080", address: "::2" }).inputs
        .service,
    ).toBe("tcp://[2001:db8::1]:80");
    expect(check(hostRoute, { destination: "10.0.0.1", device: "lo" }).inputs.destination).toBe(
      "10.0.0.1/32",
    );
    expect(check(hostRoute, { destination: "2001:DB8::/32", device: "lo" }).inputs.destination).toBe(
      "2001:db8::/32",
    );
    expect(check(sysctl, { name: "net.ipv4.tcp_rmem", value: "1\t2  3" }).inputs.value).toBe("1 2 3");
    expect(check(kernelModule, { name: "nf-conntrack" }).inputs.name).toBe("nf_conntrack");
    expect(check(ipForwarding, { interfaces: ["b", "a", "b"] }).inputs.interfaces).toEqual(["a", "b"]);
  });

  test("nothing where it was filled in already: a checked input is its own check", () => {
    for (const [definition, args] of [
      [realServer, { ...server, forwarding: "masquerading", port: 8080 }],
      [virtualService, { address: "2001:DB8::1", port: 0, persistence: { timeout: 9 } }],
      [virtualService, { fwmark: 3, family: "ipv6", persistence: {} }],
      [virtualAddress, { interface: "eth0", address: "2001:DB8::1" }],
      [virtualAddress, { interface: "eth0", address: "192.168.0.1", label: "eth0" }],
      [hostRoute, { destination: "0.0.0.0/0", via: "192.168.0.1" }],
      [ipForwarding, { interfaces: ["b", "a"], sendRedirects: false }],
      [sysctl, { name: "net.ipv4.tcp_rmem", value: "1\t2" }],
      [kernelModule, { name: "nf-conntrack", options: { hashsize: "1" } }],
    ] as const) {
      const once = check(definition, args);
      expect(once.failures).toEqual([]);
      expect(check(definition, once.inputs)).toEqual(once);
    }
  });
});

describe("in a preview", () => {
  test("what is not known yet passes, wherever it stands", () => {
    for (const [definition, args] of [
      [realServer, { ...server, service: unknownValue, weight: unknownValue }],
      [realServer, { ...server, connection: unknownValue }],
      [realServer, { ...server, connection: { host: "a", proxy: { host: unknownValue } } }],
      [virtualService, { fwmark: unknownValue }],
      [virtualService, { fwmark: 1, persistence: { timeout: unknownValue } }],
      [ipForwarding, { interfaces: ["eth0", unknownValue] }],
      [hostRoute, { destination: "10.0.0.0/8", via: unknownValue }],
      [kernelModule, { name: "ip_vs", options: { conn_tab_bits: unknownValue } }],
    ] as const) {
      const { inputs, failures: found } = check(definition, args);
      expect(found).toEqual([]);
      expect(inputs).toMatchObject(args);
    }
  });

  test("what is known is checked all the same", () => {
    expect(failures(realServer, { ...server, service: unknownValue, weight: 70000 })).toEqual([
      "weight: 70000 is above 65535",
    ]);
  });

  test("the provider's text goes through, and is no property", () => {
    expect(check(realServer, { ...server, __provider: "text" })).toMatchObject({
      inputs: { __provider: "text" },
      failures: [],
    });
  });

  test("every kind that is given nothing fails by words, not by a fault of its own", () => {
    for (const definition of definitions.values())
      for (const failure of check(definition, {}).failures)
        expect(failure).toEqual({ property: failure.property, reason: expect.stringMatching(/^is missing/) });
  });
});

describe("a diff", () => {
  const props = (args: Bag, definition = realServer) => check(definition, args).inputs;
  const diff = (olds: Bag, news: Bag, definition = realServer) => offline(definition).diff("", olds, news);

  test("of the same has no changes", () => {
    expect(diff({ ...props(server), __provider: "old" }, { ...props(server), __provider: "new" })).toEqual({
      changes: false,
    });
  });

  test("with what an older version wrote, which did not know of a field, has no changes", () => {
    const { upperThreshold, lowerThreshold, ...old } = props(server);
    expect([upperThreshold, lowerThreshold]).toEqual([0, 0]);
    expect(diff(old, props(server))).toEqual({ changes: false });
    expect(diff(old, props({ ...server, upperThreshold: 1 }))).toEqual({
      replaces: [],
      deleteBeforeReplace: false,
    });
  });

  test("of another configuration is an update, and leaves it to Pulumi to say of what", () => {
    expect(diff(props(server), props({ ...server, weight: 2 }))).toEqual({
      replaces: [],
      deleteBeforeReplace: false,
    });
  });

  test.each([
    ["service", { ...server, service: "tcp://192.168.0.220:80" }],
    ["address", { ...server, address: "192.168.10.12" }],
    ["port", { ...server, forwarding: "masquerading", port: 81 }],
  ])("of another %s replaces, the new one first", (name, args) => {
    expect(
      diff(props({ ...server, forwarding: "masquerading" }), props({ forwarding: "masquerading", ...args })),
    ).toEqual({ replaces: [name], deleteBeforeReplace: false });
  });

  test("of a service that becomes one by mark replaces by every name that changes", () => {
    const olds = props({ address: "192.168.0.219", port: 80 }, virtualService);
    const news = props({ fwmark: 1 }, virtualService);
    expect((diff(olds, news, virtualService) as { replaces: string[] }).replaces.sort()).toEqual([
      "address",
      "family",
      "fwmark",
      "port",
      "protocol",
    ]);
  });

  test.each([
    ["host", { host: "director2" }],
    ["port", { host: "director1", port: 2222 }],
  ])("of another %s replaces, the old one first, since both may be one machine", (_, other) => {
    expect(diff(props(server), props({ ...server, connection: other }))).toEqual({
      replaces: ["connection"],
      deleteBeforeReplace: true,
    });
  });

  test("of a port that is the default anyway is no other host", () => {
    expect(diff(props(server), props({ ...server, connection: { host: "director1", port: 22 } }))).toEqual({
      replaces: [],
      deleteBeforeReplace: false,
    });
  });

  test("of other credentials is an update, which touches no host", async () => {
    const [olds, news] = [
      props(server),
      props({ ...server, connection: { host: "director1", user: "admin", password: "x" } }),
    ];
    expect(diff(olds, news)).toEqual({ replaces: [], deleteBeforeReplace: false });
    const { outs } = await offline(realServer).update("", olds, news);
    expect(outs).toEqual(news);
  });

  test("of credentials that are not known yet is no other host", () => {
    const news = props({ ...server, connection: { host: "director1", password: unknownValue } });
    expect(diff(props(server), news)).toEqual({ replaces: [], deleteBeforeReplace: false });
  });

  test("of a host that is not known yet may be another host", () => {
    const news = props({ ...server, connection: { host: unknownValue } });
    expect(diff(props(server), news)).toEqual({ replaces: ["connection"], deleteBeforeReplace: true });
  });

  test("of an identity that is not known yet replaces", () => {
    expect(diff(props(server), props({ ...server, service: unknownValue }))).toEqual({
      replaces: ["service"],
      deleteBeforeReplace: false,
    });
  });
});
