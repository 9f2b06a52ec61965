import { describe, expect, test } from "vitest";
import { parseClusters } from "../../../stacks/config.js";
import { hostKey } from "../../support/fake/ssh-client.js";

describe("the configuration of a stack", () => {
  const nat = {
    kind: "nat",
    director: { connection: { host: "director1" }, interface: "eth0", dip: "192.168.10.10" },
    vips: ["192.168.0.219"],
    services: [{ port: 80, scheduler: "rr" }],
    realServers: [{ address: "192.168.10.11" }, { address: "192.168.10.12", connection: { host: "web2" } }],
  };
  const director = { connection: { host: "director1" }, interface: "eth0" };
  const forged = "lo:1\n::error::";
  const unchecked = { host: "director1", hostKey: hostKey.public, insecureIgnoreHostKey: true };
  const mistakes = (clusters: unknown) => {
    const parsed = parseClusters(clusters);
    return "mistakes" in parsed ? parsed.mistakes : [];
  };

  test("that is right is taken, with addresses in canonical text", () => {
    const { clusters } = parseClusters({
      web: {
        ...nat,
        vips: ["2001:DB8::1", { address: "192.168.0.219", label: "eth0:1" }],
        realServers: [{ address: "192.168.10.11", address6: "2001:db8::11" }],
      },
    }) as { clusters: Record<string, { vips: unknown[] }> };
    expect(clusters.web?.vips).toEqual(["2001:db8::1", { address: "192.168.0.219", label: "eth0:1" }]);
  });

  test.each<[string, unknown, string[]]>([
    [
      "a name that is none",
      { "web 1": nat },
      ['clusters["web 1"]: is not a cluster name: letters, digits, - and _ only'],
    ],
    [
      "a wrong address",
      { web: { ...nat, realServers: [{ address: "192.168.10.11" }, { address: "10.0.0.300" }] } },
      ['clusters.web.realServers[1].address: "10.0.0.300" is not an IP address'],
    ],
    [
      "a check through the VIP, which masquerading has no way for",
      {
        web: {
          ...nat,
          services: [
            {
              port: 80,
              health: { check: { through: "vip" }, servers: { "192.168.10.11:80": { through: "vip" } } },
            },
          ],
        },
      },
      ["check", 'servers["192.168.10.11:80"]'].map(
        (at) =>
          `clusters.web.services[0].health.${at}.through: vip is for gatewaying: with masquerading the real servers do not have the VIP, and no check would be answered`,
      ),
    ],
    [
      "a wrong VIP",
      { web: { ...nat, vips: ["10.0.0.300"] } },
      ['clusters.web.vips[0]: "10.0.0.300" is not an IP address'],
    ],
    [
      "a wrong VIP with details",
      { web: { ...nat, vips: [{ address: "10.0.0.300" }] } },
      ['clusters.web.vips[0].address: "10.0.0.300" is not an IP address'],
    ],
    [
      "a word with a typing error",
      { web: { ...nat, realServer: [] } },
      ["clusters.web.realServer: is not a known property; did you mean `realServers`?"],
    ],
    [
      "a word of the other kind",
      { web: { ...nat, loopbackLabel: "lo:0" } },
      ["clusters.web.loopbackLabel: is not a known property; only kind: dr has it"],
    ],
    [
      "an unknown scheduler",
      { web: { ...nat, services: [{ port: 80, scheduler: "x" }] } },
      [
        'clusters.web.services[0].scheduler: "x" must be one of rr, wrr, lc, wlc, lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh, twos',
      ],
    ],
    [
      "a port above the range",
      { web: { ...nat, services: [{ port: 70000 }] } },
      ["clusters.web.services[0].port: 70000 is above 65535"],
    ],
    [
      "a weight above the range",
      { web: { ...nat, realServers: [{ address: "192.168.10.11", weight: 70000 }] } },
      ["clusters.web.realServers[0].weight: 70000 is above 65535"],
    ],
    ["no services", { web: { ...nat, services: [] } }, ["clusters.web.services: must not be empty"]],
    [
      "no director",
      { web: { ...nat, director: undefined } },
      ["clusters.web.director: is missing; write director, or directors with vrrp"],
    ],
    [
      "a kind that is none",
      { web: { ...nat, kind: "tunnel" } },
      ['clusters.web.kind: "tunnel" must be one of dr, nat; tunnels are not supported'],
    ],
    [
      "a kind that is a map which has no text",
      { web: { ...nat, kind: { toString: 0 } } },
      ["clusters.web.kind: a map must be one of dr, nat"],
    ],
    [
      "no kind",
      { web: { ...nat, kind: undefined } },
      ["clusters.web.kind: is missing; write kind: dr or kind: nat"],
    ],
    [
      "two mistakes",
      { web: { ...nat, vips: [] }, api: { ...nat, services: [{ port: -1 }] } },
      ["clusters.web.vips: must not be empty", "clusters.api.services[0].port: -1 is below 0"],
    ],
    [
      "a label of two lines",
      { web: { ...nat, vips: [{ address: "192.168.0.219", label: forged }] } },
      ["clusters.web.vips[0].label: is not a label such as eth0:1"],
    ],
    [
      "a route of two lines",
      { web: { ...nat, returnRoutes: ["10.0.0.0/8", forged] } },
      [
        `clusters.web.returnRoutes[1]: "lo:1\\n::error::" is not an address, a network such as 10.0.0.0/8 or "default"`,
      ],
    ],
    [
      "a label on lo of two lines",
      { web: { ...nat, kind: "dr", director, loopbackLabel: forged } },
      ["clusters.web.loopbackLabel: is not a label such as eth0:1"],
    ],
    [
      "a label on lo that is another interface's",
      { web: { ...nat, kind: "dr", director, loopbackLabel: "eth0:1" } },
      ['clusters.web.loopbackLabel: "eth0:1" does not begin with lo:'],
    ],
    [
      "a name that turns text around",
      { web: { ...nat, realServers: [{ address: "192.168.10.11", name: "\u202eweb" }] } },
      ["clusters.web.realServers[0].name: is not a name: letters, digits and . _ : - only, at most 200"],
    ],
    ...["::error::web 1", "web`1`", "web[1]", "", "x".repeat(201)].map(
      (name): [string, unknown, string[]] => [
        `${JSON.stringify(name.slice(0, 20))} for a name`,
        { web: { ...nat, realServers: [{ address: "192.168.10.11", name }] } },
        [
          expect.stringMatching(
            /^clusters\.web\.realServers\[0\]\.name: .*is not a name: letters, digits/,
          ) as never,
        ],
      ],
    ),
    [
      "a host key that is ignored, also of a jump host",
      {
        web: {
          ...nat,
          director: { ...nat.director, connection: { host: "director1", proxy: unchecked } },
        },
      },
      ["clusters.web.director.connection.proxy.insecureIgnoreHostKey: cannot be true beside hostKey"],
    ],
    ["a list of clusters", [nat], [expect.stringMatching(/^clusters: .* is not a map$/) as never]],
  ])("with %s is refused with the place and the value", (_, given, expected) => {
    expect(mistakes(given)).toEqual(expected);
  });
});
