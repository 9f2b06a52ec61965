import { z } from "zod";
import { step } from "../src/host/step.js";
import { type Family, interfaceName } from "../src/values/address.js";
import { ranks } from "../src/values/ranks.js";
import { interfaceSysctl } from "../src/values/sysctl-name.js";
import { define } from "./engine/define.js";
import { claimSettings, hasClaim, releaseSettings, sysctlFacts, sysctlSetting } from "./engine/settings.js";

/** Arguments of an IpForwarding. */
export interface IpForwardingArgs {
  /** Address family: `ipv4` (default) or `ipv6`. A change replaces. */
  family?: Family | undefined;
  /** Whether the host forwards packets for others (kernel, ip-sysctl: ip_forward). Default true. */
  enabled?: boolean | undefined;
  /**
   * Whether the host sends ICMP redirects that name shorter ways (kernel, ip-sysctl: send_redirects). IPv4.
   * Default `null`: unchanged, but `false` with `interfaces`.
   */
  sendRedirects?: boolean | null | undefined;
  /**
   * Interfaces to set `sendRedirects` on besides `all`, such as `["eth0", "eth1"]`. The kernel sends redirects
   * if either is set (kernel, ip-sysctl: send_redirects). IPv4. A change replaces. Default `null`: none.
   */
  interfaces?: string[] | null | undefined;
}

const key = z.strictObject({
  family: z.enum(["ipv4", "ipv6"]).default("ipv4"),
  interfaces: z
    .array(interfaceName)
    .transform((names) => [...new Set(names)].sort())
    .nullable()
    .default(null),
});

const config = z.strictObject({
  enabled: z.boolean().default(true),
  sendRedirects: z.boolean().nullable().default(null),
});

type Key = z.output<typeof key>;

const forwarding = ({ family }: Key) =>
  family === "ipv4" ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding";

/**
 * A change of forwarding sets it on each interface, whatever that had, and sets accept_redirects to the
 * opposite.
 */
const dragged = {
  claim: "dragged.net.ipv4.ip_forward",
  files: "/proc/sys/net/ipv4/conf/*/forwarding /proc/sys/net/ipv4/conf/all/accept_redirects",
};

const redirects = ({ interfaces }: Key) =>
  interfaces === null ? [] : ["all", ...interfaces].map((name) => interfaceSysctl(name, "send_redirects"));

const bit = (value: boolean | null) => (value ? "1" : "0");

/** Forwarding and redirects, as a setting. @internal */
export const ipForwarding = define({
  kind: "IpForwarding",
  key,
  config,
  rank: ranks.silence,
  setting: true,

  defaults(key, config) {
    if (config.sendRedirects != null) key.interfaces ??= [];
    if (key.interfaces !== null) config.sendRedirects ??= false;
  },

  validate: ({ family, interfaces }, { sendRedirects }) =>
    family === "ipv6" && (sendRedirects !== null || interfaces !== null)
      ? [{ path: interfaces === null ? "sendRedirects" : "interfaces", reason: "is for IPv4 only" }]
      : [],

  id: ({ family, interfaces }) =>
    `ip-forwarding/${family}${interfaces === null ? "" : ` redirects ${["all", ...interfaces].join(",")}`}`,

  facts: (key) => [
    ...sysctlFacts([forwarding(key), ...redirects(key)]),
    ...(key.family === "ipv4" ? [`found:${dragged.claim}` as const] : []),
  ],

  read(facts, key, want) {
    const value = facts.sysctl(forwarding(key));
    if (value === undefined) return undefined;
    const sends = redirects(key).map((name) => facts.sysctl(name) === "1");
    return {
      enabled: value === "1",
      // One value stands for all places. It is the first one that differs, so a change of any place by hand
      // is seen.
      sendRedirects:
        key.interfaces === null ? null : (sends.find((on) => on !== want?.sendRedirects) ?? sends[0] ?? null),
    };
  },

  record: (key, { enabled, sendRedirects }) => [
    key.family === "ipv4" ? "forwarding" : "sysctl",
    ...[forwarding(key), bit(enabled)],
    ...redirects(key).flatMap((name) => [name, bit(sendRedirects)]),
  ],

  plan(key, want, _have, view) {
    const own = [
      sysctlSetting(view, forwarding(key), want && bit(want.enabled)),
      ...redirects(key).map((name) => sysctlSetting(view, name, want && bit(want.sendRedirects))),
    ];
    if (key.family === "ipv6") return want ? claimSettings(view, own) : releaseSettings(view, own);
    const { claim, files } = dragged;
    const isClaimed = hasClaim(view, claim);
    const [take, give] = [
      ["claim_dragged", claim, files],
      ["restore_dragged", claim],
    ];
    // The undo saves the values again. Then that of ip_forward drags the files along as before.
    if (!want) return [...releaseSettings(view, own), ...(isClaimed ? [step(give, take)] : [])];
    const along = step(take, give);
    return [...(isClaimed ? [] : [along]), ...claimSettings(view, own)];
  },
});
