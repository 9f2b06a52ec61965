import { z } from "zod";
import { type Flags, netmaskBits, netmaskText } from "../../src/facts/ipvs-table.js";
import { addressBits, type Family } from "../../src/values/address.js";
import type { Problem } from "../../src/values/problem.js";
import { schedulerFlags, schedulers } from "./schedulers.js";

/** What an edit of a service can change, besides its real servers. @internal */
export const options = z.strictObject({
  scheduler: z.enum(schedulers).default("wlc"),
  schedulerFlags: z.array(z.enum(schedulerFlags)).default([]),
  persistence: z
    .strictObject({
      timeout: z.number().int().min(1).max(2678400).default(300),
      netmask: z.number().int().min(1).max(128).optional(),
    })
    .nullable()
    .default(null),
});

type Options = z.output<typeof options>;
type SchedulerFlags = Options["schedulerFlags"];

/** Returns flags in the order of `ipvsadm -Sn`, so that the order in a program is no difference. */
export const inOrder = (flags: SchedulerFlags): SchedulerFlags =>
  [...flags].sort((one, other) => schedulerFlags.indexOf(one) - schedulerFlags.indexOf(other));

/** Returns flags that are not the scheduler's, which ipvsadm(8) refuses, and those that are named twice. */
export const flagProblems = (scheduler: string, flags: SchedulerFlags): Problem[] =>
  flags.flatMap((flag, i) => {
    const path = `schedulerFlags[${i}]`;
    const [of] = flag.split("-");
    if (of !== scheduler) return [{ path, reason: `${flag} needs the scheduler ${of}, not ${scheduler}` }];
    return flags.indexOf(flag) < i ? [{ path, reason: `${flag} is named twice` }] : [];
  });

function persistenceFlags(persistence: Options["persistence"], family: Family): string[] {
  if (!persistence) return [];
  const bits = persistence.netmask ?? addressBits(family);
  const mask = bits === addressBits(family) ? [] : ["-M", netmaskText(bits, family)];
  return ["-p", String(persistence.timeout), ...mask];
}

/** Returns the arguments of `ipvsadm -A` and `-E` behind the service. */
export const optionFlags = (config: Options, family: Family): string[] => [
  "-s",
  ...config.scheduler.split(" "),
  ...persistenceFlags(config.persistence, family),
  ...(config.schedulerFlags.length === 0 ? [] : ["-b", config.schedulerFlags.join(",")]),
];

/** Returns flags of an entry as arguments. */
export const wordsOf = (flags: Iterable<readonly [string, string]>): string[] =>
  [...flags].flatMap(([flag, value]) => (value === "" ? [flag] : [flag, value]));

const modelled = new Set(["-A", "-t", "-u", "-f", "-6", "-s", "-p", "-M"]);

/** Reads the flags of an entry of `ipvsadm -Sn`. */
export function parseOptions(flags: Flags, family: Family): Options {
  const given = z.array(z.enum(schedulerFlags)).safeParse(flags.get("-b")?.split(",") ?? []);
  const foreign = [...flags].filter(([flag]) => !modelled.has(flag) && !(flag === "-b" && given.success));
  return {
    // Options without a field show as a difference. If they counted as equal, the next edit would drop them.
    scheduler: [flags.get("-s"), ...wordsOf(foreign)].join(" ") as Options["scheduler"],
    schedulerFlags: inOrder(given.data ?? []),
    persistence: flags.has("-p")
      ? { timeout: Number(flags.get("-p")), netmask: netmaskBits(flags.get("-M"), family) }
      : null,
  };
}
