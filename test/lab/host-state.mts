import { type HostName, run } from "../support/machines/lab.mts";

/** Everything of a host that a cluster touches, read by the host's own tools. */
export interface HostState {
  readonly ipvs: string;
  readonly directorWide: string;
  readonly addresses: string;
  readonly routes: string;
  readonly sysctls: string;
  readonly modules: string;
  readonly firewall: string;
  readonly files: string;
}

// sysctls that change by themselves, or that the kernel makes up anew at each reading
const restless = new RegExp(
  `^(${[
    "fs\\.dentry-state",
    "fs\\.file-nr",
    "fs\\.inode-(nr|state)",
    "fs\\.quota\\.",
    "kernel\\.ns_last_pid",
    "kernel\\.pty\\.nr",
    "kernel\\.random\\.",
    // an emulated processor that gets no time: a soft lockup (1 << 14), or a module whose signature the kernel
    // could not check (1 << 13)
    "kernel\\.tainted = (0|8192|16384|24576)$",
    "net\\.netfilter\\.nf_conntrack_count",
    "net\\.ipv4\\.tcp_fastopen_key",
    "net\\.ipv6\\.conf\\.[^.]+\\.stable_secret",
    "vm\\.stat_refresh",
  ].join("|")})`,
);

const without = (pattern: RegExp) => (lines: string[]) => lines.map((line) => line.replace(pattern, ""));

// as sysctl shows it: a dot in the name of an interface is a slash there
const sysctlLine = (line: string) =>
  line.replace(
    /^\/proc\/sys\/([^:]*):/,
    (_, name: string) => `${name.replace(/[./]/g, (one) => (one === "/" ? "." : "/"))} = `,
  );

/** Returns the IPVS table of a host, as ipvsadm prints it. */
export const tableOf = async (host: HostName): Promise<string> => (await run(host, "ipvsadm -Sn")).stdout;

/** A command for each part, and which of its lines are compared. A filter on the host would cost it a process. */
const parts: Readonly<Record<keyof HostState, readonly [string, ((lines: string[]) => string[])?]>> = {
  // ipvsadm loads the module just for looking
  ipvs: ["[ ! -e /proc/net/ip_vs ] || ipvsadm -Sn"],
  directorWide: [
    "[ ! -e /proc/net/ip_vs ] || { ipvsadm -Ln --timeout; ipvsadm -Ln --daemon; ipvsadm -Ln --thresholds | grep -E ' [1-9][0-9]* +[0-9]+ +[0-9]+ +[0-9]+ *$' | sed -E 's/( +[0-9]+){2} *$//'; }",
  ],
  addresses: ["ip -o addr show", (lines) => without(/valid_lft.*/)(lines).sort()],
  routes: ["ip route show table all", (lines) => lines.sort()],
  // sysctl -a takes twice the time
  sysctls: [
    "grep -ars '' /proc/sys || :",
    (lines) =>
      lines
        .map(sysctlLine)
        .filter((line) => !restless.test(line))
        .sort(),
  ],
  modules: ["cat /proc/modules", (lines) => without(/ .*/)(lines).sort()],
  firewall: [
    "[ ! -e /sys/module/nf_tables ] || iptables-save 2>/dev/null || :",
    (lines) => without(/\[[0-9:]*\]/)(lines.filter((line) => !line.startsWith("#"))),
  ],
  files: [
    "find /etc /run -xdev \\( -name 'pulumi*' ! -name pulumi-lvs.lock -o -path '/etc/pulumi-lvs/*' -o -name 'lvs*' -o -path '/etc/*' ! -type d -newer /proc/1 \\) 2>/dev/null || :",
    (lines) => lines.sort(),
  ],
};

type Part = keyof HostState;
const allParts = Object.keys(parts) as Part[];

/** The state of a host, or these parts of it, as text that can be compared. All of it costs a fifth of a second of a processor. */
export async function stateOf(host: HostName, names: readonly Part[] = allParts): Promise<HostState> {
  const script = names.map((name) => `echo "@@${name}"; ${parts[name][0]}`).join("\n");
  const { stdout } = await run(host, script, { timeoutSeconds: 600 });
  const found = new Map(
    stdout
      .split(/^@@/m)
      .slice(1)
      .map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1)]),
  );
  const shown = (name: Part): string => {
    const [, compared = (lines) => lines] = parts[name];
    return compared((found.get(name) ?? "").split("\n").filter(Boolean))
      .map((line) => `${line}\n`)
      .join("");
  };
  return Object.fromEntries(names.map((name) => [name, shown(name)])) as unknown as HostState;
}

export type States = Partial<Record<HostName, HostState>>;

/** States of several hosts, or these parts of them. */
export const statesOf = async (hosts: readonly HostName[], names?: readonly Part[]): Promise<States> =>
  Object.fromEntries(
    await Promise.all(hosts.map(async (host) => [host, await stateOf(host, names)] as const)),
  );

/** Lines that one text has and the other has not, as `- old` and `+ new`. */
function difference(before: string, after: string): string[] {
  const [was, is] = [before.split("\n"), after.split("\n")];
  return [
    ...was.filter((line) => !is.includes(line)).map((line) => `- ${line.trim()}`),
    ...is.filter((line) => !was.includes(line)).map((line) => `+ ${line.trim()}`),
  ];
}

/** Every difference between two states of several hosts, each line with its host. */
export const differences = (before: States, after: States): string[] =>
  (Object.keys(before) as HostName[]).flatMap((host) =>
    allParts.flatMap((part) =>
      difference(before[host]?.[part] ?? "", after[host]?.[part] ?? "").map(
        (line) => `${host} ${part}: ${line}`,
      ),
    ),
  );
