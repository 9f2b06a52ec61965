import { z } from "zod";
import { type Family, interfaceName } from "../src/address.js";
import { interfaceSysctl } from "../src/sysctl.js";
import { define } from "./define.js";
import { planSysctls, type Sysctls } from "./settings.js";

/** Arguments of an IpForwarding. */
export interface IpForwardingArgs {
  /** `ipv4` (default) or `ipv6`. A change replaces. */
  family?: Family;
  /** Whether the host passes on packets that are not for itself (kernel, ip-sysctl: ip_forward). Default true. */
  enabled?: boolean;
  /** Whether it tells senders of shorter ways by ICMP redirects (kernel, ip-sysctl: send_redirects). IPv4. Default: left as it is. */
  sendRedirects?: boolean | null;
  /** Interfaces that `sendRedirects` is set on besides `all`; the kernel sends them when either says so. Default: none. */
  interfaces?: string[];
}

const key = z.strictObject({ family: z.enum(["ipv4", "ipv6"]).default("ipv4") });

const config = z.strictObject({
  enabled: z.boolean().default(true),
  sendRedirects: z.boolean().nullable().default(null),
  interfaces: z
    .array(interfaceName)
    .default([])
    .transform((names) => [...new Set(names)].sort()),
});

type Key = z.output<typeof key>;
type Config = z.output<typeof config>;

const forwarding = ({ family }: Key) =>
  family === "ipv4" ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding";

// turning forwarding on or off sets this one to its opposite
const dragged = ({ family }: Key) => (family === "ipv4" ? ["net.ipv4.conf.all.accept_redirects"] : []);

const redirects = (c: Config) =>
  c.sendRedirects === null
    ? []
    : ["all", ...c.interfaces].map((name) => interfaceSysctl(name, "send_redirects"));

const bit = (value: boolean) => (value ? "1" : "0");

const sysctlsOf = (key: Key, c: Config): Sysctls => [
  [forwarding(key), bit(c.enabled)],
  ...redirects(c).map((name) => [name, bit(c.sendRedirects === true)] as const),
];

export const ipForwarding = define({
  kind: "IpForwarding",
  key,
  config,
  setting: true,

  problems: ({ family }, { sendRedirects }) =>
    family === "ipv6" && sendRedirects !== null
      ? [{ path: "sendRedirects", reason: "is for IPv4 only" }]
      : [],

  id: ({ family }) => `ip-forwarding/${family}`,

  facts: (key, want) =>
    [forwarding(key), ...(want ? redirects(want) : [])].map((name) => `sysctl:${name}` as const),

  read(facts, key, want) {
    const value = facts.sysctl(forwarding(key));
    if (value === undefined) return undefined;
    const sends = want ? redirects(want).map((name) => facts.sysctl(name) === "1") : [];
    return {
      enabled: value === "1",
      sendRedirects:
        want?.sendRedirects == null
          ? null
          : sends.every((on) => on === want.sendRedirects)
            ? want.sendRedirects
            : !want.sendRedirects,
      interfaces: want?.interfaces ?? [],
    };
  },

  plan: (key, want, have) =>
    planSysctls(want && sysctlsOf(key, want), have && sysctlsOf(key, have), dragged(key)),
});
