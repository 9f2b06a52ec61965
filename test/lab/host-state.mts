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
const restless = [
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
].join("|");

const parts: Readonly<Record<keyof HostState, string>> = {
  // ipvsadm loads the module just for looking
  ipvs: "[ ! -e /proc/net/ip_vs ] || ipvsadm -Sn",
  directorWide:
    "[ ! -e /proc/net/ip_vs ] || { ipvsadm -Ln --timeout; ipvsadm -Ln --daemon; ipvsadm -Ln --thresholds | grep -E ' [1-9][0-9]* +[0-9]+ +[0-9]+ +[0-9]+ *$' | sed -E 's/( +[0-9]+){2} *$//'; }",
  addresses: "ip -o addr show | sed 's/valid_lft.*//' | sort",
  routes: "ip route show table all | sort",
  sysctls: `sysctl -a 2>/dev/null | grep -vE '^(${restless})' | sort`,
  modules: "cut -d' ' -f1 /proc/modules | sort",
  firewall:
    "[ ! -e /sys/module/nf_tables ] || iptables-save 2>/dev/null | grep -v '^#' | sed 's/\\[[0-9:]*\\]//'",
  files:
    "find /etc /run -xdev \\( -name 'pulumi*' ! -name pulumi-lvs.lock -o -path '/etc/pulumi-lvs/*' -o -name 'lvs*' -o -path '/etc/*' ! -type d -newer /proc/1 \\) 2>/dev/null | sort",
};

type Part = keyof HostState;
const allParts = Object.keys(parts) as Part[];

/** The state of a host, or these parts of it, as text that can be compared. All of it costs half a second of a processor. */
export async function stateOf(host: HostName, names: readonly Part[] = allParts): Promise<HostState> {
  const script = names.map((name) => `echo "@@${name}"; ${parts[name]}`).join("\n");
  const { stdout } = await run(host, script, { timeoutSeconds: 600 });
  const found = new Map(
    stdout
      .split(/^@@/m)
      .slice(1)
      .map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1)]),
  );
  return Object.fromEntries(names.map((name) => [name, found.get(name) ?? ""])) as unknown as HostState;
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
