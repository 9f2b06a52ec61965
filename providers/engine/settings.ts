import type { FactName } from "../../src/facts/facts.js";
import { type Step, step } from "../../src/host/step.js";
import { sysctlPath } from "../../src/values/sysctl-name.js";
import type { HostView } from "./change.js";

/** A value that the host keeps in a file, with its claim. */
interface Setting {
  /** Name of its claim on the host. */
  readonly claim: string;
  readonly file: string;
  /** The wanted value, or undefined if the value is right. */
  readonly value?: string | undefined;
  /** The current value. */
  readonly now: string | undefined;
}

// The name of a directory on the host. The slash in the name of an interface with a dot would make it two.
const claimOf = (sysctl: string) => `sysctl.${sysctl.replaceAll("/", "%2F")}`;

/** Returns the facts about sysctls and their claims. */
export const sysctlFacts = (names: readonly string[]): FactName[] =>
  names.flatMap((name): FactName[] => [`sysctl:${name}`, `found:${claimOf(name)}`]);

/** Returns a sysctl as a setting. */
export const sysctlSetting = ({ facts }: HostView, name: string, value?: string): Setting => ({
  claim: claimOf(name),
  file: `/proc/sys/${sysctlPath(name)}`,
  value,
  now: facts.sysctl(name),
});

/** Returns whether the resource has a claim on the setting: a record, and the host has saved the value. */
export const hasClaim = ({ facts, owner }: HostView, claim: string): boolean =>
  facts.isFound(claim) && facts.ledger().hasOwner(owner);

/**
 * Returns steps that claim and write settings. The claim comes first, so that its last release restores the
 * old value. The files are written in order, so at boot a missing one stops only those after it.
 */
export function claimSettings(view: HostView, settings: readonly Setting[]): Step[] {
  return settings.flatMap(({ claim, file, value, now }) => [
    ...(hasClaim(view, claim) ? [] : [step(["claim_file", claim, file], ["restore_file", claim, file])]),
    ...(value === undefined || value === now
      ? []
      : [step(["put_file", file, value], now === undefined ? null : ["put_file", file, now])]),
  ]);
}

/** Returns steps that release claimed settings. */
export const releaseSettings = (view: HostView, settings: readonly Setting[]): Step[] =>
  settings
    .filter((setting) => hasClaim(view, setting.claim))
    .map(({ claim, file, now }) =>
      step(["restore_file", claim, file], now === undefined ? null : ["retake_file", claim, file, now]),
    );
