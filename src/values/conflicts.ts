/**
 * Programs that own a host's IPVS table: they change or delete entries that they do not know. The names are
 * those of their processes in the kernel (proc(5), /proc/PID/comm). Only processes in the same network
 * namespace count. A keepalived that does only VRRP is none: see shell/lib/conflicts.sh.
 */
export const conflicts = ["keepalived", "ldirectord", "kube-proxy", "kube-router"] as const;

/** The name of a conflicting program. */
export type Conflict = (typeof conflicts)[number];

/** What runs: such a program, or a keepalived that does VRRP and manages the sync daemons only. */
export type Running = Conflict | "daemons";
