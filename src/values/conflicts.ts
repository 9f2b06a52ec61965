/**
 * Programs that take a host's IPVS table for their own: entries that they do not know they change or delete, sooner or later.
 * By the names that the kernel has of their processes (proc(5), /proc/PID/comm), of those in the same network namespace.
 */
export const rivals = ["keepalived", "ldirectord", "kube-proxy", "kube-router"] as const;

/** One of them. */
export type Rival = (typeof rivals)[number];
