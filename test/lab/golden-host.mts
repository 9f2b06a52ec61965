import { parseDaemons, parseTimeouts } from "../../src/facts/ipvs-lists.js";
import { parseThresholds } from "../../src/facts/ipvs-table.js";
import { digestOf } from "../../src/host/report.js";
import { applyScript } from "../../src/host/script.js";
import type { Step } from "../../src/host/step.js";
import { agent } from "../../src/shell/agent.js";
import { openingText } from "../../src/shell/opening.js";
import { quote } from "../../src/shell/quote.js";

// How a machine comes to show what a golden case says that its host shows.

interface Link {
  readonly ifname: string;
  readonly flags?: readonly string[];
  readonly addr_info: {
    local: string;
    prefixlen: number;
    broadcast?: string;
    label?: string;
    family: string;
    deprecated?: true;
  }[];
}

/** Networks that the routers of cases are in. */
const networks = [
  "ip addr add 192.168.0.5/24 dev eth0",
  "ip addr add 192.168.10.1/24 dev eth1",
  "ip addr add 2001:db8::5/64 dev eth0 nodad",
];

const addressLines = (links: readonly Link[]): string[] =>
  links.flatMap(({ ifname, flags, addr_info }) => [
    ...(flags?.includes("NOARP") ? [`ip link set ${ifname} arp off`] : []),
    ...addr_info
      .filter(({ local }) => local !== "127.0.0.1" && local !== "::1")
      .map(({ local, prefixlen, broadcast, label, family, deprecated }) =>
        [
          `ip addr add ${local}/${prefixlen} dev ${ifname}`,
          broadcast ? `broadcast ${broadcast}` : "",
          label && label !== ifname ? `label ${label}` : "",
          family === "inet6" ? "nodad" : "",
          deprecated ? "preferred_lft 0" : "",
        ].join(" "),
      ),
  ]);

interface Route {
  readonly dst: string;
  readonly gateway?: string;
  readonly dev?: string;
  readonly prefsrc?: string;
  readonly metric?: number;
}

const routeLine = (family: string, table: string, { dst, gateway, dev, prefsrc, metric }: Route): string =>
  [
    `ip -${family} route replace ${dst}`,
    gateway ? `via ${gateway}` : "",
    dev ? `dev ${dev}` : "",
    prefsrc ? `src ${prefsrc}` : "",
    metric ? `metric ${metric}` : "",
    `table ${table}`,
  ].join(" ");

const claimLines = (record: string): string[] => {
  const file = `/run/pulumi-lvs/${record}`;
  const [kind = "", name = ""] = [
    record.slice(0, record.indexOf(".")),
    record.slice(record.indexOf(".") + 1),
  ];
  const path = `/proc/sys/${name.replaceAll(".", "/").replaceAll("%2F", ".")}`;
  const found: Record<string, string> = {
    sysctl: `cat ${path}`,
    dragged: "grep -sH . /proc/sys/net/ipv4/conf/*/forwarding /proc/sys/net/ipv4/conf/all/accept_redirects",
    module: "echo loaded",
  };
  return [`mkdir -p ${file}`, `{ ${found[kind] ?? "echo 900 120 300"}; } >${file}/found`];
};

let scripts = 0;

/** A word that begins each line of a script's report. */
export const newNonce = (part: string): string => `lvs-${part}-${++scripts}`;

/** A script that makes steps as one transaction, in a shell that has the functions of scripts. */
export const transaction = (nonce: string, owner: string, steps: readonly Step[]): string =>
  applyScript(nonce, { expect: digestOf(new Map(), []), facts: [], transactions: [{ owner, steps }] });

const applying = (nonce: string, owner: string, steps: readonly Step[]): string =>
  openingText() + transaction(nonce, owner, steps);

const thresholdsOf = (line: string, all: ReturnType<typeof parseThresholds>): string => {
  const [, service, server] = /^-a -t (\S+) -r (\S+)/.exec(line) ?? [];
  const { upper = 0, lower = 0 } = all.get(`tcp://${service}/${server}`) ?? {};
  return (upper ? ` -x ${upper}` : "") + (lower ? ` -y ${lower}` : "");
};

const daemonLine = (daemon: ReturnType<typeof parseDaemons>[number]): string =>
  [
    `ipvsadm --start-daemon ${daemon.state} --mcast-interface ${daemon.mcastInterface} --syncid ${daemon.syncid}`,
    `--sync-maxlen ${daemon.syncMaxlen} --mcast-group ${daemon.mcastGroup} --mcast-port ${daemon.mcastPort}`,
    `--mcast-ttl ${daemon.mcastTtl}`,
  ].join(" ");

const moduleLines = (module: string, values: readonly string[]): string[] => [
  `modprobe ${module}`,
  ...values.flatMap((line) => {
    const [name = "", value = ""] = line.split("=");
    const file = `/sys/module/${module}/parameters/${name}`;
    return [`[ ! -w ${file} ] || echo ${quote(value)} >${file}`];
  }),
];

/** A monitor as the case has it: with its file where there is one, and with the agent. */
function monitorScript(name: string, shows: string): string {
  const [state, ...file] = shows.split("\n");
  // an agent that starts takes away a file whose monitor has no record, and cases have none
  const record = `70\tobject\tHealthMonitor ${name.replace("-", "://")}/health\tp/s/n\tmonitor`;
  const recorded = `mkdir -p /run/pulumi-lvs && printf '%s\\n' ${quote(record)} >/run/pulumi-lvs/boot`;
  if (state === "missing") return recorded;
  const steps = [["put_agent", agent], ...(file.length > 0 ? [["put_monitor", name, file.join("\n")]] : [])];
  const script = applying(
    `lvs-prepare-${++scripts}`,
    "p/s/n",
    steps.map((run) => ({ run, undo: null })),
  );
  const stopped = state === "stopped" ? "systemctl stop pulumi-lvs-monitor.service" : "";
  return `${recorded}\n${script}${stopped}`;
}

/** An instance as the case has it: its file, and keepalived. */
function instanceScript(name: string, shows: string): string {
  const [state, ...file] = shows.split("\n");
  const run = ["put_vrrp", name, file.join("\n")];
  const script = applying(`lvs-prepare-${++scripts}`, "p/s/n", [{ run, undo: null }]);
  return state === "stopped" ? `${script}systemctl stop keepalived.service` : script;
}

/** Brings about what the case says that the host shows. */
export function preparation(host: Readonly<Record<string, unknown>>): string[] {
  const linesOf = (value: unknown): string[] => [value ?? []].flat() as string[];
  const text = (value: unknown) =>
    linesOf(value)
      .map((line) => `${line}\n`)
      .join("");
  const order = (source: string) => (source.endsWith("/found") ? 0 : source === "ipvsadm -Sn" ? 1 : 2);
  const sources = Object.entries(host).sort(([a], [b]) => order(a) - order(b));
  return sources.flatMap(([source, value]): string[] => {
    const claim = /^\/run\/pulumi-lvs\/(.*)\/found$/.exec(source)?.[1];
    const route = /^ip -j -([46]) route show table (.*)$/.exec(source);
    if (source === "/etc/pulumi-lvs/boot")
      return [`mkdir -p /etc/pulumi-lvs && printf '%s\\n' ${quote(linesOf(value).join("\n"))} >${source}`];
    if (claim) return claimLines(claim);
    if (source === "ipvsadm -Sn") {
      const thresholds = parseThresholds(text(host["ipvsadm -Ln --thresholds"]));
      const lines = linesOf(value).map((line) => line + thresholdsOf(line, thresholds));
      return [`ipvsadm -R <<'TABLE'\n${text(lines)}TABLE`];
    }
    if (source === "ipvsadm -Ln --daemon") return parseDaemons(text(value)).map(daemonLine);
    if (source === "ip -j addr show") return addressLines(value as Link[]);
    if (route)
      return [
        ...networks,
        ...(value as Route[]).map((one) => routeLine(route[1] ?? "", route[2] ?? "", one)),
      ];
    const [, module] = /^\/sys\/module\/(.*)$/.exec(source) ?? [];
    const [, monitor] = /^\/etc\/pulumi-lvs\/monitor\.d\/(.*)$/.exec(source) ?? [];
    const [, instance] = /^\/etc\/keepalived\/pulumi-lvs\.d\/(.*)\.conf$/.exec(source) ?? [];
    if (instance) return [instanceScript(instance, String(value))];
    if (module) return value === null ? [] : moduleLines(module, value as string[]);
    if (monitor) return [monitorScript(monitor, String(value))];
    if (source.startsWith("/proc/sys/")) return [`printf '%s\\n' ${quote(String(value))} >${source}`];
    if (source === "ipvsadm -Ln --timeout") {
      const { tcp, tcpFin, udp } = parseTimeouts(text(value)) ?? { tcp: 0, tcpFin: 0, udp: 0 };
      return [`ipvsadm --set ${tcp} ${tcpFin} ${udp}`];
    }
    // they are set together with the table
    if (source === "ipvsadm -Ln --thresholds") return [];
    throw new Error(`no machine can show ${source}`);
  });
}
