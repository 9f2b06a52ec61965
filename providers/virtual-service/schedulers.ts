/** Schedulers of ipvsadm(8). Each is a kernel module `ip_vs_NAME`, which the director loads by itself. */
export const schedulers = [
  "rr",
  "wrr",
  "lc",
  "wlc",
  "lblc",
  "lblcr",
  "dh",
  "sh",
  "sed",
  "nq",
  "fo",
  "ovf",
  "mh",
  "twos",
] as const;

/** Flags of the schedulers `sh` and `mh`, in the order in which `ipvsadm -Sn` prints them. */
export const schedulerFlags = ["sh-fallback", "sh-port", "mh-fallback", "mh-port"] as const;
