// What do health checks cost? Servers on loopback answer at once, every 3 s. The figures are percent of a core and memory. They
// are of the agent with one curl for many, of the agent with a curl for each server, and of keepalived's checkers. All run on
// this machine, one after another, and touch no IPVS table. The agent has an ipvsadm of its own, and calls of keepalived to IPVS
// succeed without effect.
// `npm run bench:health -- [servers...]`. KEEPALIVED names its program; it needs root and a C compiler.

import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { addresses, keepalived, keepalivedCommand, keepalivedFolder } from "./keepalived.mts";

const require = createRequire(import.meta.url);
const { agent } = require("../../dist/src/shell/agent.js");
const { prelude } = require("../../dist/src/shell/prelude.js");
const { headOf, realHost } = require("../../dist/src/shell/surroundings.js");
const { printMonitor } = require("../../dist/src/health/monitor.js");
const { checkDefaults } = require("../../dist/src/values/health-check.js");

const given = process.argv.slice(2).map(Number);
const counts = given.length > 0 ? given : [10, 100, 300, 1000];
const seconds = 30;
const service = "tcp://192.168.0.219:80";
const curls = {
  "one curl for many": 'exec /usr/bin/curl "$@"',
  "a curl for each": `case $* in *-V*) echo 'curl 7.74.0'; echo 'Protocols: http telnet';; *) exec /usr/bin/curl "$@";; esac`,
};

/** A folder in memory, as /run is. */
const memory = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** Makes a tree of a director with so many servers, and the agent in it. */
function tree(count: number, port: number, curl: string): string {
  const root = mkdtempSync(join(memory, "lvs-health-"));
  const put = (name: string, text: string) => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), `${text}\n`);
  };
  const servers = addresses(count).map((address) => `${address}:${port}`);
  const flags = servers.map((server) => `-t 192.168.0.219:80 -r ${server} -g -w 1`);
  const record = (rank: number, thing: string, words: string) =>
    [rank, "object", thing, "p/s/n", ...words.split(" ")].join("\t");
  mkdirSync(join(root, "run/pulumi-lvs"), { recursive: true });
  put("proc/net/ip_vs", "");
  put("proc/sys/kernel/random/uuid", crypto.randomUUID());
  put("ipvs", ["-A -t 192.168.0.219:80 -s wlc", ...flags.map((words) => `-a ${words}`)].join("\n"));
  put("tools/ipvsadm", `#!/bin/sh\n[ "$1" != -Sn ] || cat '${root}/ipvs'`);
  put("tools/curl", `#!/bin/sh\n${curl}`);
  for (const tool of ["ipvsadm", "curl"]) chmodSync(join(root, "tools", tool), 0o755);
  put(
    "etc/pulumi-lvs/boot",
    [
      record(50, `VirtualService ${service}`, "service -t 192.168.0.219:80 -s wlc"),
      ...servers.map((server, i) => record(60, `RealServer ${service}/${server}`, `server ${flags[i]}`)),
      record(70, `HealthMonitor ${service}/health`, "monitor"),
    ].join("\n"),
  );
  const times = { interval: 3, connectTimeout: 1, timeout: 3, rise: 3, fall: 3, slowStart: 0 };
  const rules = {
    action: "remove",
    lastServer: "keep",
    quorum: { weight: 1, hysteresis: 0 },
    sorryServer: null,
  };
  put(
    "etc/pulumi-lvs/monitor.d/one",
    printMonitor(service, { check: checkDefaults(), servers: {}, log: null, ...times, ...rules }),
  );
  put("agent", headOf({ ...realHost, ROOT: root, PATH: `${root}/tools:${realHost.PATH}` }) + prelude + agent);
  return root;
}

/** Ticks of the processor and bytes of memory of all processes of a session, with those that have ended. */
function usage(session: number): { ticks: number; bytes: number } {
  const sum = { ticks: 0, bytes: 0 };
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(fields[3]) !== session) continue;
      for (const i of [11, 12, 13, 14]) sum.ticks += Number(fields[i]);
      sum.bytes += Number(fields[21]) * 4096;
    } catch {} // it has ended
  return sum;
}

let running: number | undefined;
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => {
    if (running) process.kill(-running, "SIGKILL");
    process.exit(1);
  });

interface Way {
  readonly name: string;
  readonly most: number;
  readonly folder: (count: number, port: number) => string;
  readonly command: (root: string) => string[];
}
const ways: Way[] = [
  ...Object.entries(curls).map(([name, curl]) => ({
    name,
    // More processes than a machine has room for: this way does not finish its rounds in time.
    most: name === "a curl for each" ? 100 : Number.POSITIVE_INFINITY,
    folder: (count: number, port: number) => tree(count, port, curl),
    command: (root: string) => ["sh", join(root, "agent")],
  })),
  {
    name: "keepalived",
    most: existsSync(keepalived) ? Number.POSITIVE_INFINITY : 0,
    folder: keepalivedFolder,
    command: keepalivedCommand,
  },
];

/** Requests that the servers have answered. */
let answered = 0;

/** Runs one until each server has answered eight times, so that all results are written, and then measures for some rounds more. */
async function measure(way: Way, count: number, port: number) {
  const root = way.folder(count, port);
  const [program = "", ...args] = way.command(root);
  const child = spawn(program, args, { detached: true, stdio: ["ignore", "ignore", "inherit"] });
  const pid = child.pid as number;
  running = pid;
  try {
    const enough = answered + 8 * count;
    for (const end = Date.now() + 60_000; answered < enough && Date.now() < end; ) await pause(500);
    const [before, first] = [usage(pid), answered];
    const begun = performance.now();
    const past = () => (performance.now() - begun) / 1000;
    // The most of two rounds, because a process of a round comes and goes.
    const bytes = { start: 0, end: 0 };
    while (past() < seconds) {
      await pause(250);
      const now = usage(pid).bytes;
      if (past() < 7) bytes.start = Math.max(bytes.start, now);
      else if (past() > seconds - 7) bytes.end = Math.max(bytes.end, now);
    }
    const core = (usage(pid).ticks - before.ticks) / past();
    return { core, bytes, rounds: (answered - first) / count };
  } finally {
    process.kill(-pid, "SIGKILL");
    running = undefined;
    await pause(500);
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  }
}

const server = createServer({ keepAlive: false }, (_, response) => {
  answered++;
  response.end("OK\n");
});
await new Promise<void>((resolve) => server.listen({ port: 0, host: "0.0.0.0", backlog: 4096 }, resolve));
const { port } = server.address() as { port: number };
if (!existsSync(keepalived)) console.log(`not measured: ${keepalived} is not there`);
console.log(
  "servers   way                  % of a core   per server   rounds   MB at start, at end   to keepalived",
);
const number = (value: number, width: number, digits = 1) => value.toFixed(digits).padStart(width);
for (const count of counts) {
  let ratioTo: number | undefined;
  // keepalived is the last of the list, and the measure of the others.
  for (const way of ways.toReversed().filter(({ most }) => count <= most)) {
    const { core, bytes, rounds } = await measure(way, count, port);
    if (way.name === "keepalived") ratioTo = core;
    const ratio = ratioTo ? `${(core / ratioTo).toFixed(2)} x` : "";
    const cells = [number(core, 13), number(core / count, 12, 3), number(rounds, 8)];
    const memory = number(bytes.start / 1e6, 13) + number(bytes.end / 1e6, 8);
    console.log(
      `${String(count).padEnd(9)} ${way.name.padEnd(18)} ${cells.join(" ")} ${memory} ${ratio.padStart(15)}`,
    );
  }
}
server.close();
