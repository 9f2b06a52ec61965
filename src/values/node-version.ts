const least = 22;

/** Returns what to do if the running Node is too old for the package. */
export function oldNode(): string | undefined {
  if (Number.parseInt(process.version.slice(1), 10) >= least) return undefined;
  return `cannot run pulumi-lvs with Node ${process.version}: it needs Node ${least} or newer; install a newer one, and put it first in PATH`;
}
