import { z } from "zod";
import { interfaceName } from "../src/values/address.js";
import { ranks } from "../src/values/ranks.js";
import { interfaceSysctl } from "../src/values/sysctl-name.js";
import type { HostView } from "./engine/change.js";
import { define } from "./engine/define.js";
import { claimSettings, releaseSettings, sysctlFacts, sysctlSetting } from "./engine/settings.js";

/** Arguments of an ArpSuppression. */
export interface ArpSuppressionArgs {
  /**
   * Interface to set besides `all`. Default `lo`, as in most scripts. Linux uses the higher of two values: that of
   * `all`, and that of the interface that receives the request. To change one receiving interface only, name it here
   * and set `all: false`. A change replaces.
   */
  interface?: string | undefined;
  /** Whether to set `all`, too. Default true. A change replaces. */
  all?: boolean | undefined;
  /**
   * ARP requests that the host answers, 0-8 (kernel, ip-sysctl: arp_ignore). Default 1: only for addresses of
   * the interface that receives the request.
   */
  arpIgnore?: number | undefined;
  /** Source address in ARP requests, 0-2 (kernel, ip-sysctl: arp_announce). Default 2: never the VIP. */
  arpAnnounce?: number | undefined;
}

/** @internal */
export const key = z.strictObject({ interface: interfaceName.default("lo"), all: z.boolean().default(true) });

const config = z.strictObject({
  arpIgnore: z.number().int().min(0).max(8).default(1),
  arpAnnounce: z.number().int().min(0).max(2).default(2),
});

type Key = z.output<typeof key>;
type Config = z.output<typeof config>;

const places = (key: Key) => (key.all ? ["all", key.interface] : [key.interface]);

const names = (key: Key, leaf: string) => places(key).map((place) => interfaceSysctl(place, leaf));

// `all` is set even if the interface does not exist yet.
const settingsOf = (view: HostView, key: Key, want: Config | undefined) =>
  places(key).flatMap((place) => [
    sysctlSetting(view, interfaceSysctl(place, "arp_ignore"), want && String(want.arpIgnore)),
    sysctlSetting(view, interfaceSysctl(place, "arp_announce"), want && String(want.arpAnnounce)),
  ]);

/** ARP settings of an interface. @internal */
export const arpSuppression = define({
  kind: "ArpSuppression",
  key,
  config,
  rank: ranks.silence,
  setting: true,
  id: (key) => `arp-suppression/${key.interface}${key.all ? "" : " alone"}`,
  facts: (key) => sysctlFacts([...names(key, "arp_ignore"), ...names(key, "arp_announce")]),
  read(facts, key, want) {
    // One value stands for all places. It is the first one that differs, so a change of any place by hand is
    // seen.
    const shown = (leaf: string, wanted: number | undefined) => {
      const values = names(key, leaf).map((name) => Number(facts.sysctl(name) ?? Number.NaN));
      return values.find((value) => value !== wanted) ?? (wanted as number);
    };
    const found = {
      arpIgnore: shown("arp_ignore", want?.arpIgnore),
      arpAnnounce: shown("arp_announce", want?.arpAnnounce),
    };
    return Number.isNaN(found.arpIgnore + found.arpAnnounce) ? undefined : found;
  },
  record: (key, { arpIgnore, arpAnnounce }) => [
    "sysctl",
    ...places(key).flatMap((place) => [
      ...[interfaceSysctl(place, "arp_ignore"), String(arpIgnore)],
      ...[interfaceSysctl(place, "arp_announce"), String(arpAnnounce)],
    ]),
  ],
  plan: (key, want, _have, view) =>
    want
      ? claimSettings(view, settingsOf(view, key, want))
      : releaseSettings(view, settingsOf(view, key, want)),
});
