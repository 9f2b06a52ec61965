/** Modules that make sysctls, by the beginning of their paths under /proc/sys. */
const modules: readonly (readonly [RegExp, string])[] = [
  [/^net\/ipv4\/vs\//, "ip_vs"],
  [/^net\/(netfilter\/)?nf_conntrack_/, "nf_conntrack"],
  [/^net\/bridge\//, "br_netfilter"],
  [/^net\/ipv6\//, "ipv6"],
  [/^net\/sctp\//, "sctp"],
  [/^net\/rds\//, "rds"],
  [/^sunrpc\//, "sunrpc"],
  [/^fs\/nfs\/nlm_/, "lockd"],
  [/^dev\/raid\//, "md_mod"],
];

/** Returns what to do about a command on a sysctl that the host does not have, if a module makes it. */
export function missingSetting(argv: readonly string[]): string | undefined {
  const path = argv.find((word) => word.startsWith("/proc/sys/"))?.slice("/proc/sys/".length);
  // Those of an interface come with the interface.
  if (path === undefined || /\/(conf|neigh)\//.test(path)) return undefined;
  const module = modules.find(([pattern]) => pattern.test(path))?.[1];
  return module === undefined
    ? "if a module of the kernel has it, declare a KernelModule, and let this depend on it (dependsOn)"
    : `the module ${module} has it: declare a KernelModule with the name ${module}, and let this depend on it (dependsOn)`;
}
