import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Monitor, printMonitor } from "../../../src/health/monitor.js";
import { agent } from "../../../src/shell/agent.js";
import { lockFile } from "../../../src/shell/lock.js";
import { monitorFunctions } from "../../../src/shell/monitor.js";
import { prelude } from "../../../src/shell/prelude.js";
import { headOf, realHost } from "../../../src/shell/surroundings.js";
import { checkDefaults } from "../../../src/values/health-check.js";
import type { ShellProgram } from "../../support/fake/fake-host.js";
import { fakeBin, findProgram, makeTree, writeInto } from "../../support/fake/tree.js";
import { sendSignal } from "../../support/send-signal.mts";

// Answers with the status and the page of the file that has the server's name. Without that file the connection is refused.
// The file may also say that the answer hangs as long as the file is there, or that curl has a critical error.
const fakeCurl = (
  version: string,
) => `case " $* " in *' -V '*) echo '${version}'; echo 'Protocols: http https telnet'; exit;; esac
answer() {
  : >>"$to"
  printf '%s\\n' "$url" >>"$LVS_FAKE_ROOT/requests"
  at=\${url#*://}; at=\${at%%/*} words= code=0 start=0.010000
  # asked verbosely, why it refused just now
  case $verbose in *' -v '*) printf '* connect to %s failed: Connection refused\\n' "$at" >&2; printf '\\n0.000000\\n'; exit 7;; esac
  printf 'x' >>"$LVS_FAKE_ROOT/requests.$at"
  status_of || { words="Failed to connect to $at after 3 ms: refused" code=7 start=0.000000 status=000; return; }
  if [ "$status" = hangs ]; then while [ -e "$LVS_FAKE_ROOT/web/$at" ]; do sleep 0.05; done; exit 28; fi
  [ "$status" != critical ] || { words='Out of memory' code=27 status=200; return; }
  sed 1d "$LVS_FAKE_ROOT/web/$at" >"$to"
}
status_of() { { IFS= read -r status <"$LVS_FAKE_ROOT/web/$at"; } 2>/dev/null; }
verbose= to=/dev/null before=
case $* in
  *' -K '*)
    # a critical error of one ends all, before they have an answer
    ends= k=\${*##* -K }
    while IFS= read -r line; do case $line in url*)
      at=\${line#*://}; at=\${at%%/*}
      ! status_of || [ "$status" != critical ] || ends=$at
    ;; esac; done <"$k"
    while IFS= read -r line; do
      value=\${line#*'= "'} value=\${value%'"'}
      case $line in
        output*) to=$value ;;
        url*) url=$value; at=\${url#*://}; at=\${at%%/*}
          [ "\${ends:-$at}" = "$at" ] || { printf '%s42 0000\\n 0.000000 Transfer aborted due to critical error in another transfer .\\n' "$to" >&2; continue; }
          ( answer; why="
 $start $words ."; [ $code != 0 ] || why=; printf '%s%s %s%s%s\\n' "$to" $code $status "$(wc -c <"$to")" "$why" >&2 ) & ;;
      esac
    done <"$k"
    wait
    exit \${ends:+27} ;;
esac
for word; do [ "$before" != -o ] || to=$word; before=$word; done
verbose=$* url=$word
answer
[ $code = 0 ] || printf 'curl: (%s) %s\\n' $code "$words" >&2
printf '\\n%s %s\\n' $start $status
exit $code
`;

// -A, -C and -D of the one chain that is used, and -S, which lists no more than what an empty table has
const fakeIptables = `shift 4; verb=$1; shift
rules=$LVS_FAKE_ROOT/rules
case $verb in
  -A) [ ! -e "$LVS_FAKE_ROOT/no-rules" ] || { echo 'iptables: refused' >&2; exit 4; }; printf '%s\\n' "$*" >>"$rules" ;;
  -C) grep -qxF -e "$*" "$rules" ;;
  -D) grep -qxF -e "$*" "$rules" || exit 1; grep -vxF -e "$*" "$rules" >"$rules.new"; mv "$rules.new" "$rules" ;;
esac
`;

export const service = "tcp://192.168.0.219:80";

export const monitor: Monitor = {
  check: checkDefaults(),
  servers: {},
  interval: 5,
  connectTimeout: 1,
  timeout: 3,
  rise: 3,
  fall: 3,
  action: "remove",
  lastServer: "keep",
  sorryServer: null,
  quorum: { weight: 1, hysteresis: 0 },
  slowStart: 0,
  announce: null,
  log: "/var/log/ipvsmonitor.log",
};

/** A director on a private tree, whose agent runs by a real shell, on a fake table and a fake curl; its seconds are short. */
export class Watched {
  readonly root = makeTree();
  readonly #shell: ShellProgram;
  readonly #running: ChildProcess[] = [];

  constructor(shell: ShellProgram = ["sh"], seconds = 0.05) {
    this.#shell = shell;
    for (const name of ["chmod", "date", "dd", "od", "tail", "timeout"]) this.realTool(name);
    for (const folder of [
      "etc/pulumi-lvs/monitor.d",
      "etc/pulumi-lvs/maintenance",
      "run/pulumi-lvs",
      "web",
      "log.d",
    ])
      mkdirSync(join(this.root, folder), { recursive: true });
    this.tool("curl", fakeCurl("curl 7.88.1 (x) libcurl/7.88.1"));
    const surroundings = {
      ...realHost,
      ROOT: this.root,
      PATH: join(this.root, "tools"),
      PAUSE_SECONDS: 0.05,
      CHECK_SECONDS: seconds,
    };
    this.write("etc/pulumi-lvs/monitor", `${headOf(surroundings)}${prelude}${agent}`);
    this.write("drop", `${headOf(surroundings)}${prelude}${monitorFunctions}drop_monitor "$1"\n`);
    onTestFinished(() => this.dispose());
  }

  write(name: string, text: string): void {
    writeInto(this.root, name, text);
  }
  read(name: string): string {
    const path = join(this.root, name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }
  remove(name: string): void {
    rmSync(join(this.root, name), { recursive: true, force: true });
  }
  lines(name: string): string[] {
    return this.read(name).split("\n").filter(Boolean);
  }

  /** Declares a service with real servers, as a stack does, and the table shows them. */
  declare(servers: Record<string, number>, of = service, isThere = true, scheduling = "-s wlc"): void {
    const at = of.startsWith("fwmark") ? `-f ${of.slice(9)}` : `-t ${of.slice(6)}`;
    const lines = [
      `-A ${at} ${scheduling}`,
      ...Object.entries(servers).map(([server, weight]) => `-a ${at} -r ${server} -g -w ${weight}`),
    ];
    const records = lines.map((line, i) => {
      const thing = i === 0 ? `VirtualService ${of}` : `RealServer ${of}/${Object.keys(servers)[i - 1]}`;
      return [
        i === 0 ? "50" : "60",
        "object",
        thing,
        "p/s/n",
        i === 0 ? "service" : "server",
        ...line.split(" ").slice(1),
      ].join("\t");
    });
    const others = this.lines("etc/pulumi-lvs/boot").filter((line) => !line.includes(` ${of}`));
    this.write("etc/pulumi-lvs/boot", [...others, ...records, ""].join("\n"));
    if (isThere) this.write("ipvs", [...this.lines("ipvs"), ...lines, ""].join("\n"));
  }

  /** Gives a service a monitor, or changes it; its log is in the tree. */
  watch(changes: Partial<Monitor> = {}, of = service): void {
    const record = `70\tobject\tHealthMonitor ${of}/health\tp/s/n\tmonitor`;
    const until = this.lines("run/pulumi-lvs/boot");
    if (!until.includes(record)) this.write("run/pulumi-lvs/boot", `${[...until, record].join("\n")}\n`);
    const log = `${this.root}/monitor.log`;
    this.write(
      `etc/pulumi-lvs/monitor.d/${of.replace("://", "-")}`,
      `${printMonitor(of, { ...monitor, log, ...changes })}\n`,
    );
  }

  /** What the agent's environment has besides. */
  environment: Record<string, string> = {};

  /** The tool of this machine. */
  realTool(name: string): void {
    this.remove(`tools/${name}`);
    symlinkSync(findProgram(name) as string, join(this.root, "tools", name));
  }

  /** A tool of its own instead of the one that there was. */
  tool(name: string, text: string): void {
    this.remove(`tools/${name}`);
    this.write(`tools/${name}`, `#!/bin/sh\n${text}`);
    chmodSync(join(this.root, "tools", name), 0o755);
  }

  /** Runs this text before the curl that there is, in the same process. */
  beforeCurl(text: string): void {
    this.tool("curl", `${text}\n${this.read("tools/curl").replace("#!/bin/sh\n", "")}`);
  }

  /** A curl that cannot report on each of many transfers. */
  oldCurl(): void {
    this.tool("curl", fakeCurl("curl 7.74.0 (x) libcurl/7.74.0"));
  }

  /** Gives it a clock of its own, which shows what the test sets. */
  clock(epoch: number): void {
    this.write("clock", `${epoch}\n`);
    // The real one has the word clock in it.
    if (this.read("tools/date").includes("LVS_FAKE_ROOT")) return;
    this.tool("date", `read -r now <"$LVS_FAKE_ROOT/clock"; exec '${findProgram("date")}' -d "@$now" "$1"\n`);
  }

  /** Gives the director an interface towards real servers, and a firewall whose rules are lines of the file `rules`. */
  withWays(): void {
    this.write("rules", "");
    for (const name of ["all", "eth1"])
      for (const setting of ["rp_filter", "accept_local"])
        this.write(`proc/sys/net/ipv4/conf/${name}/${setting}`, "0\n");
    this.tool(
      "ip",
      `case "$*" in
  *'route get '*) echo "$5 dev eth1 src 192.168.10.10 uid 0" ;;
  *'addr show dev '*) cat "$LVS_FAKE_ROOT/addresses.$5" 2>/dev/null ;;
esac
`,
    );
    this.tool("iptables", fakeIptables);
  }

  /** What the fake curl finds at a server, as a whole: no reader sees a part of it. */
  answer(server: string, text: string): void {
    this.write(`web/.${server}`, text);
    renameSync(join(this.root, `web/.${server}`), join(this.root, `web/${server}`));
  }

  /** What a server's page says. */
  page(server: string, body: string | undefined, status = 200): void {
    if (body === undefined) this.remove(`web/${server}`);
    else this.answer(server, `${status}\n${body}\n`);
  }

  /** Deletes a monitor as a stack does, with the host's lock. */
  async forget(of = service): Promise<number> {
    const script = ["sh", join(this.root, "drop"), of.replace("://", "-")];
    return this.#end(this.#launch(["flock", join(this.root, lockFile), ...script]));
  }

  /** Runs the agent to its end. */
  run(mode: string): Promise<number> {
    return this.#end(this.#spawn([mode]));
  }

  #end(child: ChildProcess): Promise<number> {
    return new Promise((resolve) => child.once("exit", (code) => resolve(code ?? -1)));
  }

  /** Starts it as systemd does. */
  start(): ChildProcess {
    return this.#spawn([]);
  }

  #spawn(args: string[]): ChildProcess {
    return this.#launch([...this.#shell, join(this.root, "etc/pulumi-lvs/monitor"), ...args]);
  }

  #launch([program = "sh", ...args]: readonly string[]): ChildProcess {
    const child = spawn(findProgram(program) as string, args, {
      cwd: this.root,
      detached: true,
      argv0: program,
      env: {
        ...this.environment,
        PATH: join(this.root, "tools"),
        LVS_FAKE_ROOT: this.root,
        LVS_FAKE_BIN: fakeBin,
      },
      stdio: ["ignore", "ignore", "pipe"],
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.printed += text;
    });
    this.#running.push(child);
    return child;
  }

  /** What the journal would show. */
  printed = "";

  /** `address:port` and weight of each entry, by service. */
  table(): string[] {
    return this.lines("ipvs").flatMap((line) => {
      const [, server, weight] = /^-a .* -r (\S+) .*-w (\d+)/.exec(line) ?? [];
      return server ? [`${server} ${weight}`] : [];
    });
  }

  exists(name: string): boolean {
    return existsSync(join(this.root, name));
  }
  /** Names of the files in a folder, which need not be there. */
  files(folder: string): string[] {
    return this.exists(folder) ? readdirSync(join(this.root, folder)) : [];
  }

  /** Files of the checks that there are. */
  checks(): string[] {
    return this.files("run/pulumi-lvs/checks")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => this.lines(`run/pulumi-lvs/checks/${name}`));
  }

  /** Processes that one has started. */
  children(pid: number): { pid: number; command: string }[] {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .split(" ")
      .filter(Boolean)
      .map((child) => ({ pid: Number(child), command: readFileSync(`/proc/${child}/cmdline`, "utf8") }));
  }

  /** State of each server as the status file has it. */
  health(): string[] {
    return this.lines("run/pulumi-lvs/health").map((line) => line.split("\t").slice(1, 3).join(" "));
  }

  dispose(): void {
    for (const child of this.#running) sendSignal(-(child.pid as number), "SIGKILL");
    rmSync(this.root, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Waits until something holds, for at most a minute; says what there was instead. */
export async function soon(holds: () => void): Promise<void> {
  const end = Date.now() + 60_000;
  for (;;) {
    try {
      holds();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
