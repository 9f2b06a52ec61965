import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterEach, expect, test, vi } from "vitest";
import { requireClusters } from "../../../stacks/config.js";
import { makeAll, mistakesInProgram, program } from "../../support/fake/cluster-program.js";

// Each file of test/cases/mistakes is the YAML of a row. Its clusters are the arguments of the component classes, too.

const { load } = createRequire(require.resolve("@pulumi/pulumi"))("js-yaml");
const folder = join(__dirname, "../../cases/mistakes");
const textOf = (file: string) => readFileSync(join(folder, file), "utf8");

interface Row {
  /** What the preview tells, all of it. Without a mistake the preview works. */
  readonly reported?: readonly string[];
  /** What the preview warns of. */
  readonly warned?: readonly string[];
  /** Why this test has no YAML of it. */
  readonly notInYaml?: string;
  /** Why a program cannot say it. */
  readonly notInProgram?: string;
}

// Reasons.
const syntax = "the CLI of Pulumi reads the file before any program runs: test/faults/yaml-mistakes.test.ts";
const kind = "the class of a cluster is its kind";
const list = "a program makes each cluster by itself";
const name = "a program gives the arguments without a configuration";

const schedulers = "rr, wrr, lc, wlc, lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh, twos";
const password =
  "clusters.web.director.connection.password: stands in clear text in Pulumi.stack.yaml; write passwordEnv, the name of an environment variable, or run: pulumi config set --secret --path 'project:clusters.web.director.connection.password'";

const rows: Record<string, Row> = {
  "01-typo-field.yaml": {
    reported: ["clusters.web.realServers[1].wieght: is not a known property; did you mean `weight`?"],
  },
  "02-typo-cluster-field.yaml": {
    reported: [
      "clusters.web.realservers: is not a known property; did you mean `realServers`?",
      "clusters.web.realServers: is missing",
    ],
  },
  "03-bad-address.yaml": {
    reported: ['clusters.web.realServers[0].address: "203.0.113.321" is not an IP address'],
  },
  "04-hostname-as-address.yaml": {
    reported: [
      'clusters.web.realServers[0].address: "web1.example.net" is not an IP address; write the address itself, because names are not resolved',
    ],
  },
  "05-dup-servers-same-name.yaml": {
    reported: [
      "clusters.web.realServers[1]: web1 is the name of realServers[0], too; give each its own name",
    ],
  },
  "06-dup-servers-same-address.yaml": {
    reported: [
      "clusters.web.realServers[1]: 203.0.113.21 is that of realServers[0], too; take one of them out",
    ],
  },
  "07-dr-other-port.yaml": {
    reported: [
      "clusters.web.services[0].realServerPort: is not a known property; LVS/DR cannot change ports; use kind: nat",
    ],
  },
  "08-missing-interface.yaml": { reported: ["clusters.web.director.interface: is missing"] },
  "09-wrong-key-file.yaml": { reported: [] },
  "10-unknown-scheduler.yaml": {
    reported: [
      `clusters.web.services[0].scheduler: "roundrobin" must be one of ${schedulers}; did you mean \`rr\`?`,
    ],
  },
  "11-negative-weight.yaml": { reported: ["clusters.web.realServers[1].weight: -1 is below 0"] },
  "12-number-as-string.yaml": {
    reported: ['clusters.web.services[0].port: "80" is not a number; write it without quotes'],
  },
  "13-weight-float.yaml": { reported: ["clusters.web.realServers[1].weight: 1.5 is not a whole number"] },
  "14-vip-wrong-subnet.yaml": { reported: [] },
  "15-label-too-long.yaml": { reported: ["clusters.web.vips[0].label: is longer than 15"] },
  "17-if-too-long.yaml": {
    reported: [
      'clusters.web.director.interface: "enp129s0f1np1vlan100" is longer than the 15 characters that an interface\'s name may have',
    ],
  },
  "18-fwmark-0.yaml": { reported: ["clusters.web.services[0].fwmark: 0 is below 1"] },
  "20-vip-cidr.yaml": {
    reported: [
      'clusters.web.vips[0]: "203.0.113.10/24" is not an IP address; write { address: 203.0.113.10, prefixLength: 24 }',
    ],
  },
  "21-vips-scalar.yaml": {
    reported: ['clusters.web.vips: "203.0.113.10" is not a list; write it in brackets, [ ], or after a dash'],
  },
  "22-kind-upper.yaml": {
    reported: ['clusters.web.kind: "DR" must be one of dr, nat; did you mean `dr`?'],
    notInProgram: kind,
  },
  "23-kind-tun.yaml": {
    reported: ['clusters.web.kind: "tun" must be one of dr, nat; tunnels are not supported'],
    notInProgram: kind,
  },
  "24-no-kind.yaml": {
    reported: ["clusters.web.kind: is missing; write kind: dr or kind: nat"],
    notInProgram: kind,
  },
  "25-dup-service.yaml": {
    reported: [
      "clusters.web.services[1]: tcp port 80 at 203.0.113.10 is that of services[0], too; they need another protocol, port or vips",
    ],
  },
  "26-port-0-no-persist.yaml": {
    reported: ["clusters.web.services[0].port: 0 is every port, and needs persistence"],
  },
  "27-port-range.yaml": { reported: ["clusters.web.services[0].port: 70000 is above 65535"] },
  "29-rs-v6-vip-v4.yaml": {
    reported: [
      "clusters.web.realServers[0].address: 2001:db8::21 is of another address family than the VIP 203.0.113.10 of services[0]; write an IPv4 address, or name other real servers or vips in the service",
    ],
  },
  "30-v6-unquoted.yaml": {
    reported: [
      "clusters.web.realServers[0].address: 203.0.113.21 is of another address family than the VIP 2001:db8::10 of services[0]; give the server address6, an IPv6 address, or name other real servers or vips in the service",
      "clusters.web.realServers[1].address: 203.0.113.22 is of another address family than the VIP 2001:db8::10 of services[0]; give the server address6, an IPv6 address, or name other real servers or vips in the service",
    ],
  },
  "31-health-typo.yaml": {
    reported: [
      "clusters.web.services[0].health.check.typ: is not a known property; did you mean `type`?",
      "clusters.web.services[0].health.intervall: is not a known property; did you mean `interval`?",
    ],
  },
  "33-host-is-number.yaml": {
    reported: ["clusters.web.director.connection.host: 10.1 is not a string; write it in quotes"],
  },
  "34-several.yaml": {
    reported: [
      'clusters.web.realServers[0].address: "203.0.113.321" is not an IP address',
      "clusters.web.realServers[1].wieght: is not a known property; did you mean `weight`?",
      'clusters.web.director.interface: "eth 0" is not an interface name',
      `clusters.web.services[0].scheduler: "rrr" must be one of ${schedulers}; did you mean \`wrr\`?`,
      "clusters.web.returnRoutes: is not a known property; only kind: nat has it",
    ],
  },
  "35-keepalived-words.yaml": {
    reported: [
      "clusters.web.services[0].lb_algo: is not a known property; for keepalived's lb_algo write services[].scheduler",
      "clusters.web.services[0].lb_kind: is not a known property; for keepalived's lb_kind write kind",
    ],
  },
  "37-localnode.yaml": { reported: [] },
  "38-threshold.yaml": {
    reported: ["clusters.web.realServers[1].lowerThreshold: 6 is above upperThreshold, which is 5"],
  },
  "39-persist-timeout-bare.yaml": {
    reported: ["clusters.web.services[0].persistence: 300 is not a map; write { timeout: 300 }"],
  },
  "40-bool-as-string.yaml": { reported: ['clusters.web.adopt: "yes" is not a boolean; write true'] },
  "41-empty-rs.yaml": { reported: ["clusters.web.realServers: null is not a list"] },
  "42-null-drain-timeout.yaml": { reported: ["clusters.web.drain: 60 is not a map; write { timeout: 60 }"] },
  "44-password-plain.yaml": { reported: [], warned: [password] },
  "50-yaml-unclosed.yaml": { notInYaml: syntax, notInProgram: syntax },
  "51-yaml-indent.yaml": { notInYaml: syntax, notInProgram: syntax },
  "52-yaml-tab.yaml": { notInYaml: syntax, notInProgram: syntax },
  "54-yaml-quote.yaml": { reported: ["clusters.web.realServers[0].label: is not a known property"] },
  "55-key-typo.yaml": {
    reported: [
      "cannot read the clusters of this stack: Pulumi.stack.yaml has no project:clusters; rename project:cluster to project:clusters",
    ],
    notInProgram: name,
  },
  "56-no-namespace.yaml": { reported: [], notInProgram: name },
  "57-dup-key.yaml": { notInYaml: syntax, notInProgram: syntax },
  "58-clusters-as-list.yaml": { reported: ["clusters: a list is not a map"], notInProgram: list },
  "60-two-clusters-same-vip-port.yaml": {
    reported: [
      "clusters.shop.services[0]: tcp port 80 at 203.0.113.10 on lb1 is that of clusters.web.services[0], too; they need another protocol, port or VIP",
    ],
  },
  "61-two-directors.yaml": {
    reported: [
      "clusters.web-b.vips[0]: 203.0.113.10 is that of clusters.web-a.vips[0] on lb1, too, and one host can have it only; write all of them in directors of one cluster, with vrrp",
    ],
  },
  "62-same-vip-two-ports-two-clusters.yaml": { reported: [] },
};

afterEach(() => {
  vi.restoreAllMocks();
  pulumi.runtime.setAllConfig({});
});

test("each file has a row", () => {
  expect(globSync("*.yaml", { cwd: folder }).sort()).toEqual(Object.keys(rows).sort());
});

/** Previews a stack's file by the program behind it. Returns what it tells, and the number of resources. */
async function fromFile(config: Record<string, unknown>): Promise<{ reported: string[]; count: number }> {
  const given = Object.entries(config).map(([key, value]) => [
    key.replace(/^lvs:/, "project:"),
    JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(Object.fromEntries(given));
  const { all, error } = await program(() => makeAll(requireClusters() as never), true);
  const [head = "", ...lines] = error?.message.split("\n") ?? [];
  return {
    reported: lines.length > 0 || !error ? lines.map((line) => line.trim()) : [head],
    count: all.length,
  };
}

test.each(Object.entries(rows).filter(([, { notInYaml }]) => notInYaml === undefined))(
  "%s: the YAML",
  async (file, { reported = [], warned = [] }) => {
    const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue(undefined);
    const found = await fromFile(load(textOf(file)).config);
    expect(found.reported).toEqual(reported);
    // with a mistake nothing is registered
    expect(found.count > 0).toBe(reported.length === 0);
    expect(warn.mock.calls.map(([message]) => message)).toEqual(warned);
  },
);

test.each(Object.entries(rows).filter(([, { notInProgram }]) => notInProgram === undefined))(
  "%s: the same in a program",
  async (file, { reported = [] }) => {
    // mistakesInProgram throws if a resource of the cluster is registered
    expect(await mistakesInProgram(load(textOf(file)).config["lvs:clusters"])).toEqual(reported);
  },
);

test.each(Object.entries(rows).filter(([, { notInYaml }]) => notInYaml === syntax))("%s is no YAML", (file) =>
  expect(() => load(textOf(file))).toThrow(),
);
