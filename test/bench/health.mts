// What do health checks cost? Servers on loopback answer at once, every 3 s: percent of a core, memory and processes of the
// agent with one curl for many, and with a curl for each server. `npm run bench:health -- [servers...]`

import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const require = createRequire(import.meta.url);
const { agent } = require("../../dist/src/shell/agent.js");
const { prelude } = require("../../dist/src/shell/prelude.js");
const { headOf, realHost } = require("../../dist/src/shell/surroundings.js");
const { printMonitor } = require("../../dist/src/health/monitor-file.js");
const { checkDefaults } = require("../../dist/src/health/check.js");

const counts = process.argv.slice(2).map(Number);
const seconds = 21;
const service = "tcp://192.168.0.219:80";
const curls = {
  "one curl for many": 'exec /usr/bin/curl "$@"',
  "a curl for each": `case $* in *-V*) echo 'curl 7.74.0'; echo 'Protocols: http telnet';; *) exec /usr/bin/curl "$@";; esac`,
};

/** Makes a tree of a director with so many servers, and the agent in it. */
function tree(count: number, port: number, curl: string): string {
  const root = mkdtempSync(join(tmpdir(), "lvs-health-"));
  const put = (name: string, text: string) => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), `${text}\n`);
  };
  const servers = Array.from({ length: count }, (_, i) => `127.0.${1 + (i >> 8)}.${i & 255}:${port}`);
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
function usage(session: number): { ticks: number; bytes: number; processes: number } {
  const sum = { ticks: 0, bytes: 0, processes: 0 };
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(fields[3]) !== session) continue;
      for (const i of [11, 12, 13, 14]) sum.ticks += Number(fields[i]);
      sum.bytes += Number(fields[21]) * 4096;
      sum.processes++;
    } catch {} // it has ended
  return sum;
}

let running: number | undefined;
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => {
    if (running) process.kill(-running, "SIGKILL");
    process.exit(1);
  });

/** Runs the agent until all servers are up, and then for some rounds more. */
async function measure(count: number, port: number, curl: string) {
  const root = tree(count, port, curl);
  const child = spawn("sh", [join(root, "agent")], {
    detached: true,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const pid = child.pid as number;
  running = pid;
  try {
    const checks = join(root, "run/pulumi-lvs/checks");
    const isUp = (name: string) => readFileSync(join(checks, name), "utf8").startsWith("verdict\tup\t");
    const end = Date.now() + 60_000;
    for (let up = 0; up < count && Date.now() < end; await pause(1000))
      try {
        up = readdirSync(checks).filter((name) => /^\d+$/.test(name) && isUp(name)).length;
      } catch {} // the agent has just begun
    await pause(3000);
    const before = usage(pid);
    const begun = performance.now();
    let bytes = 0;
    while (performance.now() - begun < seconds * 1000) {
      await pause(500);
      bytes = Math.max(bytes, usage(pid).bytes);
    }
    const ticks = usage(pid).ticks - before.ticks;
    return { core: ticks / ((performance.now() - begun) / 1000), megabytes: bytes / 1e6 };
  } finally {
    process.kill(-pid, "SIGKILL");
    running = undefined;
    await pause(500);
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  }
}

const server = createServer({ keepAlive: false }, (_, response) => response.end("OK\n"));
await new Promise<void>((resolve) => server.listen({ port: 0, host: "0.0.0.0", backlog: 4096 }, resolve));
const { port } = server.address() as { port: number };
console.log("servers   way                  % of a core   MB");
for (const count of counts.length > 0 ? counts : [10, 100, 300, 1000])
  for (const [way, curl] of Object.entries(curls)) {
    // More processes than a machine has room for: this way does not finish its rounds in time.
    if (way === "a curl for each" && count > 100) continue;
    const { core, megabytes } = await measure(count, port, curl);
    console.log(
      `${String(count).padEnd(9)} ${way.padEnd(20)} ${core.toFixed(1).padStart(8)} ${megabytes.toFixed(0).padStart(9)}`,
    );
  }
server.close();
