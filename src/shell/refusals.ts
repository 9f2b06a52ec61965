/**
 * Exit codes of our scripts, the one list of both sides: `refusalVariables` has them for the scripts. Errors
 * find their remedies by the code, so the words of a refusal can change. Tools on hosts use other codes: ip,
 * ipvsadm, modprobe and sysctl end with 1 to 8, 127 or 255.
 */
export const refusals = {
  /** There is no room to write one of the package's files. */
  noRoom: 91,
  /** Without systemd nothing restores a thing after a reboot. */
  noBoot: 92,
  /** Without systemd nothing runs the health checks. */
  noMonitor: 93,
  /** No program there can send a neighbour advertisement. */
  noAdvertiser: 94,
  /** The kernel has no such file under /proc/sys. */
  noSetting: 95,
  /** Without systemd nothing runs keepalived. */
  noKeepalived: 96,
  /** The configuration of keepalived is not ours, and does not include our files. */
  notIncluded: 97,
  /** That configuration does not let keepalived run scripts. */
  noScripts: 98,
  /** keepalived obeyed, but the host still has an address. */
  addressStays: 99,
  /** The configuration of keepalived, which does not run, has virtual servers. */
  virtualServers: 100,
  /** That configuration has the strict mode of VRRP. */
  vrrpStrict: 101,
  /** A setting cannot be written, or the kernel refuses its value. */
  notWritable: 102,
  /** A record of the ledger has a wrong form. */
  wrongRecord: 103,
  /** A health check could not be done, so it has no result. */
  notChecked: 104,
  /** Another run holds the host's lock. */
  lockHeld: 105,
  /** The lock file is something else than a regular file of root's own. */
  lockUnsafe: 106,
  /** The script timed out before the command began. */
  notBegun: 107,
  /** Another owner claims the same setting. */
  settingClaimed: 108,
  /** A file of keepalived has the line that is searched for. */
  lineFound: 109,
  /** The agent was started with wrong arguments. */
  wrongArguments: 110,
  /** The host lacks a tool. Shells use this code for a command that they do not find. */
  noTool: 127,
} as const;

/** The variables by which scripts name the codes: NO_ROOM for `noRoom`. */
export const refusalVariables: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries(refusals).map(([name, code]) => [name.replace(/[A-Z]/g, "_$&").toUpperCase(), code]),
);

export const refusalRemedies: ReadonlyMap<number, string> = new Map([
  [refusals.noRoom, "make room there and run again"],
  [
    refusals.noBoot,
    "set persist: false (in a cluster also of one of realServers), and it is there until the next reboot",
  ],
  [refusals.noAdvertiser, "install perl or python3 there if neither is, or set announce: false"],
  [refusals.noKeepalived, "use a host with systemd for a VrrpInstance"],
  [refusals.notIncluded, "add this line to it: include /etc/keepalived/pulumi-lvs.d/*.conf"],
  [refusals.noScripts, "add enable_script_security to its global_defs, or leave trackServices out"],
  [
    refusals.addressStays,
    "see there why keepalived keeps it (journalctl -u keepalived), or remove it (ip addr del), and run again",
  ],
  [
    refusals.virtualServers,
    "take its virtual_server blocks out, which would change the IPVS table, or start keepalived there yourself",
  ],
  [refusals.vrrpStrict, "take vrrp_strict out of its global_defs"],
  [refusals.noMonitor, "leave health checks (HealthMonitor) out, or use a host with systemd"],
]);
