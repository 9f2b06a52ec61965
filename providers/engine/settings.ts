import type { FactName, Facts } from "../../src/facts/facts.js";
import { type Step, step } from "../../src/host/step.js";
import { sysctlPath } from "../../src/values/sysctl-name.js";

/** What a plan may look at besides have and want. */
export interface HostView {
  /** What was wanted before, where that changes. */
  readonly was?: unknown;
  readonly facts: Facts;
  /** The mark of the resource that plans. */
  readonly owner: string;
  /** Whether it is to come back after a reboot. */
  readonly persist: boolean;
}

/** A value that the host keeps in a file, and who wants it. */
export interface Setting {
  /** Name of its record on the host. */
  readonly record: string;
  readonly file: string;
  /** What it is to be; undefined where that is right already. */
  readonly value?: string | undefined;
  /** What it is now. */
  readonly now: string | undefined;
}

// a directory's name on the host; the slash of an interface with a dot in its name would make it two
const recordOf = (sysctl: string) => `sysctl.${sysctl.replaceAll("/", "%2F")}`;

/** Facts about sysctls and who wants them. */
export const sysctlFacts = (names: readonly string[]): FactName[] =>
  names.flatMap((name): FactName[] => [`sysctl:${name}`, `claim:${recordOf(name)}`]);

/** A sysctl as a setting. */
export const sysctlSetting = ({ facts }: HostView, name: string, value?: string): Setting => ({
  record: recordOf(name),
  file: `/proc/sys/${sysctlPath(name)}`,
  value,
  now: facts.sysctl(name),
});

/** Whether the resource that plans has claimed what the record is of. */
export const owns = ({ facts, owner }: HostView, record: string): boolean =>
  facts.claims(record).includes(owner);

/**
 * Claims what is not claimed yet, so that what was found comes back with the last claim, and writes what differs: one file
 * after the other, so that at boot one that is not there keeps away only those after it.
 */
export function holdSettings(view: HostView, settings: readonly Setting[]): Step[] {
  return settings.flatMap(({ record, file, value, now }) => [
    ...(owns(view, record) ? [] : [step(["claim_file", record, file], ["restore_file", record, file])]),
    ...(value === undefined || value === now
      ? []
      : [step(["put_file", file, value], now === undefined ? null : ["put_file", file, now])]),
  ]);
}

/** Lets go of what is claimed. */
export const releaseSettings = (view: HostView, settings: readonly Setting[]): Step[] =>
  settings
    .filter((setting) => owns(view, setting.record))
    .map(({ record, file, now }) =>
      step(["restore_file", record, file], now === undefined ? null : ["retake_file", record, file, now]),
    );
