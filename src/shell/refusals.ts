/**
 * Exit codes of the scripts' own refusals. The scripts return them and errors look their remedies up by them, so the words of
 * a refusal can change. Tools on hosts use other codes: ip, ipvsadm, modprobe and sysctl end with 1 to 8, 127 or 255.
 */
export const refusals = {
  /** A file of the package's own cannot be written to. */
  noRoom: 91,
  /** Without systemd nothing brings a thing back after a reboot. */
  noBoot: 92,
  /** Without systemd nothing runs the health checks. */
  noMonitor: 93,
} as const;

export const refusalRemedies: ReadonlyMap<number, string> = new Map([
  [refusals.noRoom, "make room there and run again"],
  [
    refusals.noBoot,
    "set persist: false (in a cluster also of one of realServers), and it is there until the next reboot",
  ],
  [refusals.noMonitor, "leave health checks (HealthMonitor) out, or use a host with systemd"],
]);
