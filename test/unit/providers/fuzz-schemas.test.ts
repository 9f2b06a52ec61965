import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Definition } from "../../../providers/engine/define.js";
import {
  type Bag,
  checkInputs,
  clean,
  hasUnknown,
  partsOf,
  unknownValue,
} from "../../../providers/engine/inputs.js";
import { type FactName, Facts } from "../../../src/facts/facts.js";
import { agent } from "../../../src/shell/agent.js";
import { ipAddress } from "../../../src/values/address.js";
import type { Problem } from "../../../src/values/problem.js";
import { parseClusters } from "../../../stacks/config.js";
import { definitions } from "../../support/fake/definitions.js";
import {
  hostile,
  hostileConnection,
  placesIn,
  put,
  rightClusters,
  secret,
  spoilt,
} from "../../support/fake/hostile.js";
import { tally } from "../../support/tally.js";

/** Cases per schema; more of them find more (FUZZ_RUNS=100000 for idle hours). */
const numRuns = Number(process.env.FUZZ_RUNS ?? 600);

/** Arguments that are right, for hostile values to be put among. */
const right: Record<string, Bag[]> = {
  "arp-suppression": [{ interface: "eth0.100", all: true, arpIgnore: 1, arpAnnounce: 2 }],
  "host-route": [
    {
      destination: "10.0.0.0/8",
      table: "main",
      metric: 3,
      device: "eth0",
      via: "192.168.0.1",
      source: "192.168.0.5",
    },
    { destination: "2001:db8::/32", table: "100", device: null, via: "2001:db8::1" },
  ],
  "ip-forwarding": [{ family: "ipv4", interfaces: ["eth0", "eth1"], enabled: true, sendRedirects: false }],
  "health-monitor": [
    {
      service: "tcp://192.168.0.219:80",
      check: {
        type: "https",
        port: 443,
        path: "/.health.html",
        body: "OK",
        status: [200, 204],
        host: "a.b",
        verify: true,
      },
      servers: { "192.168.10.11:80": { type: "command", command: "true" } },
      interval: 3,
      sorryServer: { address: "192.168.0.5", port: 80, forwarding: "masquerading", weight: 1 },
      quorum: { weight: 2, hysteresis: 1 },
      log: "/var/log/ipvsmonitor.log",
    },
    { service: "fwmark://7/ipv6", check: { type: "dns", query: "example.com" }, action: "quiesce" },
  ],
  "ipvs-timeouts": [{ tcp: 7200, tcpFin: 120, udp: 30 }, {}],
  "kernel-module": [{ name: "ip_vs", options: { conn_tab_bits: "15" } }],
  "real-server": [
    {
      service: "tcp://192.168.0.219:80",
      address: "192.168.10.11",
      port: 80,
      forwarding: "masquerading",
      weight: 1,
      upperThreshold: 100,
      lowerThreshold: 50,
    },
    { service: "fwmark://7/ipv6", address: "2001:db8::1", port: 0, forwarding: "gatewaying", weight: 1 },
  ],
  "service-probe": [
    {
      url: "https://web.example.org:8443/health?a=b",
      address: "192.168.0.219",
      requests: 20,
      timeout: 3,
      failures: 1,
      within: 10,
      status: [200, 204],
      contains: "OK",
      spread: { header: "X-Served-By", servers: 2, shares: { rs1: 0.3 } },
      arp: { interface: "eth0", mac: "52:54:00:4c:02:01" },
      director: hostileConnection,
      insecure: true,
      triggers: [1, { a: "b" }],
    },
    { url: "tcp://[2001:db8::219]:25", arp: false },
  ],
  "sync-daemon": [
    { state: "master", mcastInterface: "eth1", syncid: 7, syncMaxlen: 1472, mcastGroup: "239.1.2.3" },
    { state: "backup", mcastInterface: "eth0.100", mcastGroup: "ff02::81", mcastPort: 8849, mcastTtl: 2 },
  ],
  sysctl: [{ name: "net.ipv4.conf.eth0/100.arp_ignore", value: "1 2" }],
  "virtual-address": [
    {
      interface: "eth0",
      address: "192.168.0.219",
      prefixLength: 24,
      label: "eth0:1",
      broadcast: "192.168.0.255",
      announce: true,
    },
    { interface: "lo", address: "2001:db8::219", prefixLength: 128 },
  ],
  "virtual-service": [
    {
      protocol: "tcp",
      address: "192.168.0.219",
      port: 80,
      scheduler: "wlc",
      persistence: { timeout: 300, netmask: 24 },
    },
    { fwmark: 1, family: "ipv6", persistence: { netmask: 64 } },
  ],
};

const common: Bag = { connection: hostileConnection, adopt: false, owner: "p/s/one" };

const oneLine = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,300}$/u;

function readable(problems: readonly Problem[]): void {
  for (const { path, reason } of problems) {
    if (!oneLine.test(path) || !oneLine.test(reason))
      throw new Error(`not readable: ${JSON.stringify({ path, reason })}`);
    if (`${path}${reason}`.includes(secret.slice(0, 8))) throw new Error(`the secret is in ${reason}`);
  }
}

const same = (one: unknown, other: unknown) => expect(one).toEqual(other);

/** Facts of a host that has nothing. */
const nothing = (names: readonly FactName[]) =>
  new Facts(
    new Map(
      names.map((name) => [
        name,
        { body: /^(addresses|routes)/.test(name) ? "[]" : name.startsWith("module") ? "absent\n" : "" },
      ]),
    ),
  );

const options =
  /^(-[46AEDaedtufrgmwxyspMqUcI]|--(set|start-daemon|stop-daemon|syncid|sync-maxlen|mcast-(interface|group|port|ttl)))$/;

/** What would be run on a host has no word that a shell, a tool or a file system takes for something else. */
function harmless(definition: Definition, inputs: Bag): void {
  const { key, config } = partsOf(definition, inputs);
  const names = definition.facts(key, config);
  const view = { persist: true, facts: nothing(names), owner: `${inputs.owner} ${definition.id(key)}` };
  if (!/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,600}$/u.test(view.owner)) throw new Error(`bad mark ${view.owner}`);
  for (const { run, undo } of definition.plan(key, config, undefined, view)) {
    for (const word of [...run.slice(1), ...(undo?.slice(1) ?? [])]) {
      // a sysctl's value goes into its file, and is no argument of any program
      if (word === config.value) continue;
      // nor is a text that goes into a file of ours: lines of words, parted by tabs
      if (word === agent || /^# Written by pulumi-lvs .*(\n[a-z]+(\t[^\p{Cc}\p{Cs}]*)+)+$/u.test(word))
        continue;
      if (!/^[\x20-\x7e]+$/.test(word)) throw new Error(`bad word ${JSON.stringify(word)}`);
      if (/^-/.test(word) && !options.test(word) && !/^-\d+$/.test(word))
        throw new Error(`an option by value: ${word}`);
      // a pattern of files is the resource's own
      const isInside =
        /^\/(proc\/sys|sys\/module)(\/(?!\.{1,2}(\/|$))[^/]+)+$/.test(word) || word.includes("*");
      if (word.startsWith("/") && !isInside) throw new Error(`bad path ${word}`);
    }
  }
}

describe.each([...definitions])("%s", (name, definition) => {
  const bases = (right[name] as Bag[]).map((args) => ({ ...common, ...args }));
  const shape = { ...definition.key.shape, ...definition.config.shape } as Bag;

  test("takes what is right", () => {
    for (const base of bases) expect(checkInputs(definition, base).problems).toEqual([]);
  });

  test("refuses a hostile value where it stands, in one readable line, or takes it whole", (context) => {
    const cases = tally(context, "fuzz");
    fc.assert(
      fc.property(spoilt(bases, hostile), ({ where, args }) => {
        cases.tried();
        const { inputs, problems } = checkInputs(definition, args);
        readable(problems);
        same(JSON.parse(JSON.stringify(inputs)), inputs);
        if (problems.length > 0) {
          const at = String(where[0]);
          const alone = shape[at] as { safeParse(value: unknown): { success: boolean } } | undefined;
          const here = problems.some(({ path }) => path.startsWith(at) || path.startsWith("["));
          // fields that do not go together are told at either
          if (!here && !alone?.safeParse(args[at]).success)
            throw new Error(`not at ${at}: ${JSON.stringify(problems)}`);
        } else if (!hasUnknown(args)) {
          same(checkInputs(definition, inputs), { inputs, problems: [] });
          for (const key of Object.keys(args)) if (!(key in inputs)) throw new Error(`${key} was dropped`);
          harmless(definition, inputs);
        }
        cases.held();
      }),
      { numRuns, verbose: 1 },
    );
  });

  test("lets pass what is not known yet, wherever it stands", (context) => {
    const cases = tally(context, "fuzz");
    for (const base of bases)
      for (const at of placesIn(base).filter((place) => place.length > 0)) {
        cases.tried();
        const args = put(base, at, unknownValue) as Bag;
        const { inputs, problems } = checkInputs(definition, args);
        same(problems, []);
        expect(inputs[at[0] as string]).toEqual(args[at[0] as string]);
        same(checkInputs(definition, inputs), { inputs, problems });
        cases.held();
      }
  });
});

describe("the configuration of a stack", () => {
  const packages = { director: ["ipvsadm"], realServers: ["nginx"] };
  const [health] = right["health-monitor"] as [Bag];
  const { service: _, ...checks } = health;
  const checked = { port: 8080, health: checks, drain: { timeout: 60, minimum: 2 } };
  const bases = rightClusters.map(({ web }) => ({
    web: { ...web, packages, services: [...(web.services as unknown[]), checked] },
  }));

  test("is refused where a hostile value stands, in one readable line each, or taken whole", (context) => {
    const cases = tally(context, "fuzz");
    fc.assert(
      fc.property(spoilt(bases, hostile), ({ where, args }) => {
        cases.tried();
        const parsed = parseClusters(args);
        if ("mistakes" in parsed) {
          for (const line of parsed.mistakes) {
            if (!oneLine.test(line)) throw new Error(`not readable: ${JSON.stringify(line)}`);
            if (line.includes(secret.slice(0, 8))) throw new Error(`the secret is in ${line}`);
            if (!line.startsWith("clusters")) throw new Error(`no place: ${line}`);
          }
          const at = where.slice(0, 2).filter((part) => /^[\w-]{1,60}$/.test(String(part)));
          // A value that is right by itself may not fit another field. A rule tells so there, and names the value.
          const value = where.reduce<unknown>((inner, part) => (inner as never)?.[part], args);
          const text = ipAddress.safeParse(value).data ?? JSON.stringify(value)?.replace(/^"|"$/g, "");
          // A destination of one address is told as a network.
          const bare = (word: string) => word.replace(/[:;,]+$/, "").replace(/\/(32|128)$/, "");
          const wordsOf = (line: string) => line.split(/\s+/).map(bare);
          const isTold = (line: string) =>
            line.startsWith(`clusters.${at.join(".")}`) || (text && wordsOf(line).includes(text));
          if (at.length === 2 && !parsed.mistakes.some(isTold))
            throw new Error(`not at ${where}: ${parsed.mistakes}`);
        } else {
          const { clusters } = clean(parsed);
          same(clean(parseClusters(clusters)), { clusters });
          same(placesIn(parsed.clusters).map(String).sort(), placesIn(args).map(String).sort());
        }
        cases.held();
      }),
      { numRuns, verbose: 1 },
    );
  });
});
