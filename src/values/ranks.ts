/**
 * Ranks of records. After a reboot things of a lower rank are restored first. Records have two digits. Shell
 * and awk get the ranks that they compare with as assignments.
 */
export const ranks = {
  /** Kernel modules. */
  module: 10,
  /** ARP suppression and IP forwarding. */
  silence: 20,
  sysctl: 30,
  /** Settings of a director's whole table: timeouts and sync daemons. */
  table: 40,
  service: 50,
  server: 60,
  monitor: 70,
  vrrp: 75,
  address: 80,
  route: 90,
} as const;
