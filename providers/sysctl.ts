import { z } from "zod";
import { ranks } from "../src/values/ranks.js";
import { sysctlName, sysctlText, sysctlValue } from "../src/values/sysctl-name.js";
import { define } from "./engine/define.js";
import { claimSettings, releaseSettings, sysctlFacts, sysctlSetting } from "./engine/settings.js";

/** Arguments of a Sysctl. */
export interface SysctlArgs {
  /**
   * Name as in sysctl(8), such as `net.ipv4.vs.expire_nodest_conn`. A dot inside a part is a slash:
   * `net.ipv4.conf.eth0/100.rp_filter`. A change replaces.
   */
  name: string;
  /** Value as text, at most 1000 characters. Blanks and tabs between numbers count as one blank. */
  value: string;
}

const key = z.strictObject({ name: sysctlName });
const config = z.strictObject({
  value: sysctlText.transform(sysctlValue).refine((value) => value !== "", "must not be empty"),
});

/** One sysctl, as a setting. @internal */
export const sysctl = define({
  kind: "Sysctl",
  key,
  config,
  rank: ranks.sysctl,
  setting: true,
  id: ({ name }) => `sysctl/${name}`,
  facts: ({ name }) => sysctlFacts([name]),
  read(facts, { name }) {
    const value = facts.sysctl(name);
    return value === undefined ? undefined : { value: sysctlValue(value) };
  },
  record: ({ name }, { value }) => ["sysctl", name, value],
  plan({ name }, want, have, view) {
    const setting = sysctlSetting(view, name, want?.value);
    if (!want) return releaseSettings(view, [setting]);
    // The value is right apart from blanks.
    return claimSettings(view, [want.value === have?.value ? { ...setting, value: undefined } : setting]);
  },
});
