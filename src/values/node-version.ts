const least = 22;

/** Returns what to do if the running Node is too old for the package. */
export function oldNode(): string | undefined {
  if (Number.parseInt(process.version.slice(1), 10) >= least) return undefined;
  return `pulumi-lvs needs Node ${least} or newer, and this is ${process.version}; install a newer one, and put it first in PATH`;
}
