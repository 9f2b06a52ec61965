import { type Step, step } from "../src/step.js";
import { sysctlPath } from "../src/sysctl.js";

/** A sysctl's value, in the order they are written. */
export type Sysctls = readonly (readonly [name: string, value: string])[];

// a directory's name on the host; the slash of an interface with a dot in its name would make it two
const setting = (name: string) => `sysctl.${name.replaceAll("/", "%2F")}`;

/**
 * The way from `have` to `want` for settings kept in sysctls. The first time each is claimed, so that what was found comes
 * back with the last claim; `dragged` ones are only remembered, because the kernel changes them along with the others.
 */
export function planSysctls(
  want: Sysctls | undefined,
  have: Sysctls | undefined,
  dragged: readonly string[] = [],
): Step[] {
  const claim = (name: string) => ["claim_sysctl", setting(name), sysctlPath(name)];
  const restore = (name: string) => ["restore_sysctl", setting(name), sysctlPath(name)];
  if (!want)
    return [...(have ?? []).map(([name]) => name), ...dragged].map((name) => step(restore(name), null));
  const claims = [...dragged, ...want.map(([name]) => name)].map((name) =>
    step(claim(name), have ? null : restore(name)),
  );
  const before = new Map(have);
  const writes = want
    .filter(([name, value]) => before.get(name) !== value)
    .map(([name, value]) => {
      const old = before.get(name);
      return step(
        ["put_sysctl", sysctlPath(name), value],
        old === undefined ? null : ["put_sysctl", sysctlPath(name), old],
      );
    });
  return [...claims, ...writes];
}
