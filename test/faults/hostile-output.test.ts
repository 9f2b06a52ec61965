import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Engine } from "../../providers/engine/engine.js";
import { type Bag, checkInputs } from "../../providers/engine/inputs.js";
import { HostError } from "../../src/errors.js";
import type { FactName } from "../../src/facts/facts.js";
import { printMonitor } from "../../src/health/monitor.js";
import { serve } from "../../src/host/batch.js";
import type { Job } from "../../src/host/job.js";
import { KnownFacts } from "../../src/host/known-facts.js";
import { digestOf, parseReport, type Report } from "../../src/host/report.js";
import { definitions } from "../support/fake/definitions.js";
import { connection } from "../support/fake/engine.js";
import { tally } from "../support/tally.js";
import { monitor } from "./harness/watched.js";

/** Cases per thing that is done and kind of noise; more find more (FUZZ_RUNS=10000 for idle hours). */
const numRuns = Math.ceil(Number(process.env.FUZZ_RUNS ?? 400) / 10);

// as ipvsadm 1.31 and iproute2 6.1 print them
const recorded: Record<FactName, string> = {
  table: `-A -t 192.168.0.210:80 -s wlc -p 600 -M 255.255.255.0
-a -t 192.168.0.210:80 -r 192.168.10.11:80 -m -w 1
-a -t 192.168.0.210:80 -r 192.168.10.12:8080 -m -w 10
-A -t [2001:db8::210]:80 -s mh -b mh-fallback,mh-port
-a -t [2001:db8::210]:80 -r [2001:db8::11]:80 -g -w 2
-a -t [2001:db8::210]:80 -r [2001:db8::12]:80 -i -w 2 --tun-type gue --tun-port 6080 --tun-nocsum
-A -u 192.168.0.210:53 -s rr -o
-A --sctp-service 192.168.0.210:9999 -s rr
-A -f 10 -s wlc
-A -f 10 -6 -s wlc
-A -f -294967296 -s wlc
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn 
  -> RemoteAddress:Port
TCP  192.168.0.210:80 wlc persistent 600 mask 255.255.255.0
  -> 192.168.10.11:8080           0          0
  -> 192.168.10.12:8080           100        50
TCP  [2001:db8::210]:80 mh (mh-fallback,mh-port)
  -> [2001:db8::11]:80            0          0
  -> [2001:db8::12]:80            0          0
UDP  192.168.0.210:53 rr ops
SCTP 192.168.0.210:9999 rr
FWM  10 wlc
FWM  10 IPv6 wlc
FWM  -294967296 wlc
`,
  timeouts: "Timeout (tcp tcpfin udp): 900 120 30\n",
  "found:timeouts": "900 120 300\n",
  daemons:
    "master sync daemon (mcast=eth1, syncid=7, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\nbackup sync daemon (mcast=eth1, syncid=8, maxlen=1452, group=ff02::81, port=8848, ttl=1)\n",
  addresses: `[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"qdisc":"noqueue","operstate":"UNKNOWN","group":"default","txqlen":1000,"link_type":"loopback","address":"00:00:00:00:00:00","broadcast":"00:00:00:00:00:00","addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host","label":"lo","valid_life_time":0,"preferred_life_time":0},{"family":"inet6","local":"::ffff:1.2.3.4","prefixlen":128,"scope":"global","valid_life_time":0,"preferred_life_time":0}]},{"ifindex":2,"link_index":5,"ifname":"eth0","addr_info":[{"family":"inet","local":"192.168.0.219","prefixlen":24,"broadcast":"192.168.0.255","scope":"global","label":"eth0:1","valid_life_time":0,"preferred_life_time":0}]}]
`,
  "routes:4:main": `[{"dst":"default","gateway":"192.168.0.1","dev":"eth0","flags":[]},{"dst":"10.0.0.0/8","gateway":"192.168.0.2","dev":"eth0","flags":["onlink"]},{"dst":"10.1.0.0/16","dev":"lo","scope":"link","metric":4294967295,"flags":[]},{"type":"blackhole","dst":"10.2.0.1","flags":[]}]
`,
  "sysctl:net.ipv4.icmp_ratelimit": "1000\n",
  "sysctl:net.ipv6.icmp.ratelimit": "1000\n",
  "sysctl:net.ipv4.tcp_rmem": "4096\t131072\t6291456\n",
  "found:sysctl.net.ipv4.tcp_rmem": "4096 131072 6291456\n",
  "module:ip_vs": "loaded\nconn_tab_bits=12\n",
  "found:module.ip_vs": "loaded\n",
  "found:parameter.ip_vs.conn_tab_bits": "",
  ledger: `restored
--
10\tsetting\tKernelModule module/ip_vs\tp/s/böse module/ip_vs\tmodule\tip_vs
30\tsetting\tSysctl sysctl/net.ipv4.tcp_rmem\tp/s/böse sysctl/net.ipv4.tcp_rmem\tsysctl\tnet.ipv4.tcp_rmem\t1 2 3
40\tsetting\tIpvsTimeouts ipvs-timeouts\tp/s/böse ipvs-timeouts\ttimeouts\t900\t120\t30
50\tobject\tVirtualService tcp://192.168.0.210:80\tp/s/böse\tipvsadm -A -t 192.168.0.210:80 -s wlc -p 600 -M 255.255.255.0
90\tobject\tHostRoute route/10.0.0.0/8\tp/s/böse\troute\t4\t10.0.0.0/8\tvia\t192.168.0.2

--
`,
  conflicts: "",
  health:
    "tcp://192.168.0.210:80\t192.168.10.11:80\tup\ntcp://192.168.0.210:80\t192.168.10.12:8080\tdown\nfwmark://10/ipv6\t[2001:db8::11]:0\tmaintenance\n",
  reasons:
    "tcp://192.168.0.210:80\t192.168.10.11:80\t\ntcp://192.168.0.210:80\t192.168.10.12:8080\tstatus 404\n",
  "monitor:tcp-192.168.0.210:80": `running\n${printMonitor("tcp://192.168.0.210:80", { ...monitor, log: null })}\n`,
  connections: `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn
  -> RemoteAddress:Port
TCP  192.168.0.210:80 wlc persistent 600 mask 255.255.255.0
  -> 192.168.10.11:80             1         2           3          4         
  -> 192.168.10.12:8080           10        0           0          0         
FWM  10 wlc
`,
  draining: "tcp://192.168.0.210:80\t192.168.10.12:8080\t1769860800\n",
  drained: "tcp://192.168.0.210:80\t192.168.10.13:8080\t12\t0\t1769860800\n",
  clock: "1769860812\n",
};

const web = {
  address: "192.168.0.210",
  port: 80,
  scheduler: "wlc",
  persistence: { timeout: 600, netmask: 24 },
};
const server = { service: "tcp://192.168.0.210:80", port: 8080, forwarding: "masquerading" };

/** What is done, and the arguments: each of them does something on the recorded host, or finds something there. */
const done: [string, "create" | "delete" | "read" | "update", Bag, Bag?][] = [
  ["virtual-service", "delete", web],
  ["virtual-service", "read", web],
  ["virtual-service", "create", { fwmark: 11 }],
  ["virtual-service", "create", web],
  ["ipvs-timeouts", "delete", { udp: 30 }],
  ["ipvs-timeouts", "read", { udp: 30 }],
  ["ipvs-timeouts", "update", { udp: 30 }, { tcp: 60 }],
  ["sync-daemon", "delete", { state: "master", mcastInterface: "eth1", syncid: 7 }],
  ["sync-daemon", "read", { state: "backup", mcastInterface: "eth1", syncid: 8, mcastGroup: "ff02::81" }],
  ["sync-daemon", "update", { state: "master", mcastInterface: "eth1", syncid: 7 }, { syncid: 9 }],
  ["real-server", "delete", { ...server, address: "192.168.10.12", weight: 10 }],
  ["real-server", "read", { ...server, address: "192.168.10.12", weight: 10 }],
  ["real-server", "create", { ...server, address: "192.168.10.13" }],
  ["real-server", "update", { ...server, address: "192.168.10.12", weight: 10 }, { weight: 11 }],
  [
    "virtual-address",
    "delete",
    {
      interface: "eth0",
      address: "192.168.0.219",
      prefixLength: 24,
      label: "eth0:1",
      broadcast: "192.168.0.255",
    },
  ],
  ["virtual-address", "read", { interface: "lo", address: "::ffff:1.2.3.4" }],
  ["virtual-address", "create", { interface: "eth0", address: "192.168.0.220" }],
  ["host-route", "delete", { destination: "10.0.0.0/8", via: "192.168.0.2" }],
  ["host-route", "read", { destination: "10.1.0.0/16", device: "lo", metric: 4294967295 }],
  ["host-route", "create", { destination: "10.3.0.0/16", via: "192.168.0.2" }],
  ["sysctl", "delete", { name: "net.ipv4.tcp_rmem", value: "4096 131072 6291456" }],
  ["sysctl", "read", { name: "net.ipv4.tcp_rmem", value: "4096 131072 6291456" }],
  ["sysctl", "update", { name: "net.ipv4.tcp_rmem", value: "4096 131072 6291456" }, { value: "1 2 3" }],
  ["kernel-module", "delete", { name: "ip_vs" }],
  ["kernel-module", "read", { name: "ip_vs" }],
];

const nonce = "lvs-0123456789abcdef01234567";

const bytes = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

/** A report as the script prints it, of facts in this order. */
const reportOf = (names: readonly FactName[]): string =>
  [
    ...names.map((name) => {
      const body = bytes(recorded[name] as string);
      return `${nonce} fact ${name}\n${body}\n${nonce} end ${body.length}\n`;
    }),
    `${nonce} done\n`,
  ].join("");

class Reached extends Error {}

/**
 * What comes of it where the host's answer to the first script arrives changed: the script that would act, the answer of a
 * read, or why it is refused. The host itself is as recorded, and refuses a plan made from anything else, as scripts do.
 */
async function outcome(
  [kind, verb, args, other = {}]: (typeof done)[number],
  change: (report: string, names: readonly FactName[]) => string,
): Promise<string> {
  const definition = definitions.get(kind);
  if (!definition) throw new Error(kind);
  const { inputs, problems } = checkInputs(definition, { connection, owner: "p/s/böse", ...args });
  expect(problems).toEqual([]);
  let acted = "";
  let names: FactName[] = [];
  const parsed = (text: string): Report => {
    try {
      return parseReport(nonce, text);
    } catch (error) {
      throw new HostError("director1", `unexpected output: ${(error as Error).message}`);
    }
  };
  const run = async (script: (nonce: string) => string): Promise<Report> => {
    const text = script(nonce);
    const expected = /^expect=([0-9a-f]{64})$/m.exec(text)?.[1];
    if (expected === undefined) return parsed(change(reportOf(names), names));
    const truth = parsed(reportOf(names));
    if (expected !== digestOf(truth.sections, names)) return { ...truth, stale: true };
    acted = text.slice(text.indexOf("\nchanges() {\n"));
    throw new Reached();
  };
  const submit = () => ({
    submit: (job: Job) =>
      new Promise((resolve, reject) => {
        names = [...new Set(job.facts)].sort();
        serve("director1", 120, new KnownFacts(), run, [
          { job, resolve: (done) => resolve(done as never), reject },
        ]).catch(reject);
      }),
  });
  const engine = new Engine(definition, submit as never);
  try {
    if (verb === "read") return JSON.stringify(await engine.read("", inputs));
    if (verb === "update")
      await engine.update("", inputs, {
        ...inputs,
        ...checkInputs(definition, { ...inputs, ...other }).inputs,
      });
    else if (verb === "create") await engine.create(inputs);
    else await engine.delete("", inputs);
    return "nothing to do";
  } catch (error) {
    if (error instanceof Reached) return acted;
    const { message } = error as Error;
    if (
      !/^cannot (create|read|update|delete) .* on director1: (unexpected output|cannot read|another program keeps changing)/.test(
        message,
      )
    )
      throw error;
    if (!/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,900}$/u.test(message))
      throw new Error(`not one line: ${JSON.stringify(message)}`);
    return "refused";
  }
}

const noise = fc.oneof(
  fc.constantFrom(
    "Welcome to Debian GNU/Linux!\n",
    "Last login: Sun Nov 22 15:41:33 2026 from 10.0.0.1\n",
    "\n",
    "\n\n",
    " ",
    "\r",
    "\r\n",
    "\0",
    "\x1b[31m",
    "\x1b[0m",
    "\x07",
    "0",
    "1",
    '"',
    ",",
    "]",
    "{}",
    "-w 5",
    "-a -t 192.168.0.210:80 -r 192.168.10.99:80 -m -w 1\n",
    "-A -t 10.0.0.1:80 -s wlc\n",
    '[{"dst":"10.9.0.0/16","dev":"eth0","flags":[]}]\n',
    "\nlvs-000000000000000000000000 fact table\n",
    "lvs-000000000000000000000000 done\n",
    "[  12.345678] IPVS: ipvs loaded.\n",
    bytes("Fehler: Datei nicht gefunden 1,5 s\n错误\n"),
    bytes("\u202e\ufeff"),
    `${"x".repeat(2 ** 20)}\n`,
    "x".repeat(2 ** 20),
  ),
  fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 10 }),
  fc.uint8Array({ minLength: 1, maxLength: 30 }).map((some) => Buffer.from(some).toString("latin1")),
);

const lineStarts = (text: string): number[] => [
  0,
  ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1),
];

describe("an answer that arrives changed is refused in one line or understood rightly, and never leads to a wrong plan", () => {
  /** Compares with the truth what comes of each changed answer. */
  const never = async (
    context: Parameters<typeof tally>[0],
    changesOf: (report: string, names: readonly FactName[]) => readonly string[],
    expected?: "refused" | "understood",
    all = done,
  ) => {
    const cases = tally(context, "fuzz");
    for (const what of all) {
      let changed: readonly string[] = [];
      const truth = await outcome(what, (report, names) => {
        changed = changesOf(report, names);
        return report;
      });
      expect(truth).not.toBe("refused");
      for (const text of changed) {
        cases.tried();
        const got = await outcome(what, () => text);
        const isRight =
          expected === "refused" ? got === "refused" : got === truth || (got === "refused" && !expected);
        if (!isRight)
          expect({ what, text: text.slice(0, 3000), got }).toEqual({
            what,
            text: text.slice(0, 3000),
            got: truth,
          });
        cases.held();
      }
    }
  };

  test("cut at any byte", (context) =>
    never(
      context,
      (report) => Array.from({ length: report.length }, (_, at) => report.slice(0, at)),
      "refused",
      // where it is cut means the same to each that looks at the same facts
      done.filter(([, verb]) => verb === "delete"),
    ));

  test("cut anywhere inside, also at the end of a line of the table, with what follows in place", (context) =>
    never(
      context,
      (report) => {
        const starts = lineStarts(report);
        return fc
          .sample(fc.tuple(fc.nat(report.length - 20), fc.integer({ min: 1, max: 60 })), numRuns)
          .map(([from, length]) => report.slice(0, from) + report.slice(from + length))
          .concat(starts.slice(0, -2).map((from, i) => report.slice(0, from) + report.slice(starts[i + 1])));
      },
      "refused",
    ));

  test("with anything written in between", (context) =>
    never(context, (report) =>
      fc
        .sample(fc.tuple(fc.nat(report.length), noise), numRuns)
        .map(([at, other]) => report.slice(0, at) + other + report.slice(at)),
    ));

  test("with whole lines written in between", (context) =>
    never(context, (report) =>
      fc
        .sample(fc.tuple(fc.constantFrom(...lineStarts(report)), noise), numRuns)
        .map(([at, other]) => `${report.slice(0, at)}${other.replace(/\n?$/, "\n")}${report.slice(at)}`),
    ));

  test("with something before and after it", (context) =>
    never(
      context,
      (report) =>
        fc
          .sample(fc.tuple(noise, noise), numRuns / 4)
          .map(([before, after]) => `${before.replace(/\n?$/, "\n")}${report}${after}`),
      "understood",
    ));

  test("coloured", (context) =>
    never(
      context,
      (report) => [
        report.replace(/^(?!lvs-)(.+)$/gm, "\x1b[36m$1\x1b[0m"),
        report.replace(/\d+/g, "\x1b[1m$&\x1b[m"),
      ],
      "refused",
    ));

  test("with the line ends of a terminal", (context) =>
    never(context, (report) => [report.replaceAll("\n", "\r\n")], "refused"));

  test("told twice", (context) =>
    never(
      context,
      (report) => [report + report, report.replace(/^(lvs-\w+ fact [\s\S]*? end \d+\n)/, "$1$1")],
      "refused",
    ));

  test("with facts in another order, and with facts of another script before it", (context) =>
    never(
      context,
      (report, names) => [
        reportOf([...names].reverse()),
        report.replaceAll(nonce, "lvs-ffffffffffffffffffffffff") + report,
        reportOf([
          ...names,
          ...(Object.keys(recorded) as FactName[]).filter((name) => !names.includes(name)),
        ]),
      ],
      "understood",
    ));

  test("without a fact", (context) =>
    never(
      context,
      (_, names) => names.map((left) => reportOf(names.filter((name) => name !== left))),
      "refused",
    ));
});

describe("what tools print in other versions", () => {
  /** Facts as another version of a tool would print them on the same host. */
  const printed = async (
    what: (typeof done)[number],
    print: (name: FactName, body: string) => string,
  ): Promise<string> => {
    const before = { ...recorded };
    try {
      for (const name of Object.keys(recorded) as FactName[])
        recorded[name] = print(name, recorded[name] as string);
      return await outcome(what, (report) => report);
    } finally {
      Object.assign(recorded, before);
    }
  };
  const json = (change: (value: unknown) => unknown) => (name: FactName, body: string) =>
    /^(addresses|routes)/.test(name) ? `${JSON.stringify(change(JSON.parse(body)))}\n` : body;
  const everyMap = (change: (map: Bag) => unknown) => {
    const visit = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(visit);
      if (typeof value !== "object" || value === null) return value;
      return change(Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, visit(inner)])));
    };
    return visit;
  };
  const everyList = (change: (list: unknown[]) => unknown[]) => {
    const visit = (value: unknown): unknown => {
      if (Array.isArray(value)) return change(value.map(visit));
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, visit(inner)]));
    };
    return visit;
  };

  test.each<[string, (name: FactName, body: string) => string]>([
    [
      "unknown fields",
      json(everyMap((map) => ({ new: { field: [1, null] }, ...map, nodad: true, __proto: 1 }))),
    ],
    ["another order of fields", json(everyMap((map) => Object.fromEntries(Object.entries(map).reverse())))],
    [
      "blanks and line breaks",
      (name, body) =>
        /^(addresses|routes)/.test(name) ? `${JSON.stringify(JSON.parse(body), null, 4)}\n` : body,
    ],
    [
      "empty maps for what is left out",
      json(everyList((list) => (typeof list[0] === "string" ? list : [{}, ...list, {}]))),
    ],
    ["without fields that no reader needs", json(everyMap(({ flags, scope, mtu, ...map }) => map))],
    [
      "addresses of other families",
      json(
        everyMap((map) =>
          "addr_info" in map
            ? { ...map, addr_info: [...(map.addr_info as unknown[]), { family: "mctp", local: 8 }] }
            : map,
        ),
      ),
    ],
    [
      "IPv6 written at length",
      (_, body) =>
        body
          .replaceAll("::ffff:1.2.3.4", "0:0:0:0:0:FFFF:102:304")
          .replaceAll("2001:db8::", "2001:DB8:0:0:0:0:0:"),
    ],
    [
      "more flags of ipvsadm",
      (name, body) => (name === "table" ? body.replace("-s rr", "-s rr --new-flag 7 -z") : body),
    ],
    [
      "line ends of Windows in the table",
      (name, body) => (name === "table" ? body.replace(/^-.*$/gm, "$&\r") : body),
    ],
  ])("%s change no plan", async (_, print) => {
    const plans = (text: string) => text.replace(/fact[\s\S]*/, "");
    for (const what of done) {
      const truth = await outcome(what, (report) => report);
      expect([what, plans(await printed(what, print))]).toEqual([what, plans(truth)]);
    }
  });

  test.each<[string, (name: FactName, body: string) => string]>([
    ["names instead of numbers", (_, body) => body.replaceAll("192.168.10.12:8080", "web2:http-alt")],
    ["names of services", (_, body) => body.replaceAll("192.168.0.210:80 ", "www.example.com:http ")],
    ["a weight that is none", (_, body) => body.replaceAll("-w 10", "-w ten")],
    ["a server before its service", (_, body) => body.split("\n").slice(1).join("\n")],
    [
      "a table for people",
      () => "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n",
    ],
  ])("%s are refused, as they could be anything", async (_, print) => {
    for (const what of done.filter(([kind]) => /^(virtual-service|real-server)$/.test(kind)))
      expect([what, await printed(what, print)]).toEqual([what, "refused"]);
  });

  test.each<[string, (name: FactName, body: string) => string]>([
    [
      "plain text",
      (name, body) =>
        name === "addresses"
          ? "1: lo: <LOOPBACK,UP> mtu 65536\n"
          : name.startsWith("routes")
            ? "default via 192.168.0.1 dev eth0\n"
            : body,
    ],
    ["nothing at all", (name, body) => (/^(addresses|routes)/.test(name) ? "\n" : body)],
    ["a map", (name, body) => (/^(addresses|routes)/.test(name) ? "{}\n" : body)],
    ["null", (name, body) => (/^(addresses|routes)/.test(name) ? "null\n" : body)],
    ["entries without what identifies them", json(everyMap(({ dst, local, ...map }) => map))],
    [
      "a prefix that is none",
      json(everyMap((map) => ("prefixlen" in map ? { ...map, prefixlen: "24" } : { ...map, metric: "1" }))),
    ],
    [
      "names for addresses",
      json(
        everyMap((map) =>
          "dst" in map
            ? { ...map, dst: "example.com" }
            : "local" in map
              ? { ...map, local: "example.com" }
              : map,
        ),
      ),
    ],
  ])("%s from ip is refused", async (_, print) => {
    for (const what of done.filter(([kind]) => /^(virtual-address|host-route)$/.test(kind)))
      expect([what, await printed(what, print)]).toEqual([what, "refused"]);
  });
});
