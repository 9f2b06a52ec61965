import { plainText } from "../values/foreign.js";
import { commandLine } from "./quote.js";

type Shown = (...args: string[]) => string;

/** Returns a command line in quotes, as people see it. */
export const shownLine = (argv: readonly string[], most = 500) => `\`${plainText(commandLine(argv), most)}\``;
const run = (...argv: string[]) => shownLine(argv, Number.POSITIVE_INFINITY);
const foundOf = (claim: string) => `/run/pulumi-lvs/${claim}/found`;
const ledgerOf = (lifetime: string) => `/${lifetime === "persistent" ? "etc" : "run"}/pulumi-lvs/boot`;
const instance = (name: string) => `/etc/keepalived/pulumi-lvs.d/${name}.conf`;
const hold = (name: string) => `/run/pulumi-lvs-hold-${name}`;
const boot = "/etc/systemd/system/pulumi-lvs.service";
const agent = "/etc/systemd/system/pulumi-lvs-monitor.service";

/**
 * What people see of each shell function that may be argv[0] of a step: the host's command, or the file.
 * test/unit/shell/shown-command.test.ts compares the names with those in real plans.
 */
const functions: Readonly<Record<string, Shown>> = {
  record: (lifetime) => `writing ${ledgerOf(lifetime)}`,
  erase: (lifetime) => `removing lines from ${ledgerOf(lifetime)}`,
  put_entries: (...lines) => `\`ipvsadm -R\` with ${lines.length} lines`,
  undo_entries: (...lines) => `\`ipvsadm -R\` with ${lines.length} lines`,
  install_boot: () => `installing ${boot}`,
  claim_file: (claim, file) => `saving the value of ${file} in ${foundOf(claim)}`,
  put_file: (file, value) => `writing ${value} to ${file}`,
  restore_file: (_claim, file) => `restoring the value of ${file}`,
  retake_file: (_claim, file, value) => `writing ${value} to ${file}`,
  claim_dragged: (claim, files) => `saving the values of ${files} in ${foundOf(claim)}`,
  restore_dragged: (claim) => `restoring the values in ${foundOf(claim)}`,
  claim_timeouts: () => run("ipvsadm", "-Ln", "--timeout"),
  restore_timeouts: (claim) => `\`ipvsadm --set\` with the values in ${foundOf(claim)}`,
  retake_timeouts: (_claim, ...values) => run("ipvsadm", "--set", ...values),
  claim_module: (_claim, module) => run("modprobe", "--show-depends", module),
  restore_module: (_claim, module) => run("rmmod", module),
  retake_module: (_claim, ...words) => run("modprobe", ...words),
  put_monitor: (file) => `writing /etc/pulumi-lvs/monitor.d/${file}`,
  drop_monitor: (file) => `removing /etc/pulumi-lvs/monitor.d/${file}`,
  put_vrrp: (name) => `writing ${instance(name)}`,
  run_vrrp: () => run("systemctl", "start", "keepalived"),
  drop_vrrp: (name) => `removing ${instance(name)}`,
  hold_vrrp: (name) => `writing ${hold(name)}`,
  yield_vrrp: (name) => `writing ${hold(name)}`,
  release_vrrp: (name) => `removing ${hold(name)}`,
  put_agent: () => `installing ${agent}`,
  drop_agent: () => `removing ${agent}`,
  begin_drain: () => "writing /run/pulumi-lvs/draining",
  end_drain: () => "writing /run/pulumi-lvs/draining",
  drain_on: () => "writing /run/pulumi-lvs/draining",
  note_drained: () => "writing /run/pulumi-lvs/drained",
  drop_address: (device, address) => run("ip", "addr", "del", address, "dev", device),
  announce: (device, address = "") =>
    address.includes(":")
      ? `a neighbour advertisement of ${address} on ${device}`
      : run("arping", "-q", "-U", "-c", "1", "-I", device, address),
  change_forwarding: (_family, _address, _server, _to, ...command) =>
    shownCommand(command, Number.POSITIVE_INFINITY),
  with_file: (_file, _meanwhile, _afterwards, ...command) => shownCommand(command, Number.POSITIVE_INFINITY),
};

/** Returns a step's command as people see it, cut if it is long. It never has the name of a shell function of ours. */
export function shownCommand(argv: readonly string[], most = 500): string {
  const [name = "", ...args] = argv;
  const shown = Object.hasOwn(functions, name) ? functions[name] : undefined;
  return shown ? plainText(shown(...args), most) : shownLine(argv, most);
}
