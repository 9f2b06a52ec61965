/**
 * Ranks of records: after a reboot things of a lower rank come back first. Two digits, as records have them.
 *
 * Shell and awk get those that they compare with as assignments.
 */
export const ranks = {
  /** Kernel modules. */
  module: 10,
  /** What keeps a host silent about addresses, and IP forwarding. */
  silence: 20,
  sysctl: 30,
  /** What holds for the whole table of a director: timeouts and sync daemons. */
  table: 40,
  service: 50,
  server: 60,
  monitor: 70,
  address: 80,
  route: 90,
} as const;
