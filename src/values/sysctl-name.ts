import { z } from "zod";
import { isPlain } from "./foreign.js";
import { show } from "./problem.js";

/**
 * A sysctl's name as in sysctl(8): `net.ipv4.ip_forward`. A slash stands for a dot inside a part:
 * `net.ipv4.conf.eth0/100.arp_ignore` is of the interface eth0.100. There a dot is understood, too.
 */
export const sysctlName = z
  .string()
  .max(200)
  // A slash must stand between characters, because otherwise a part of the path could be `..`.
  .refine((text) => /^[a-z0-9_]+(\.[A-Za-z0-9_@-]+(\/[A-Za-z0-9_@-]+)*)+$/.test(text), {
    error: ({ input }) => `${show(input)} is not a sysctl name such as net.ipv4.ip_forward`,
  })
  // `net.ipv4.conf.eth0.100.rp_filter`: between these words and the last part stands one interface.
  .transform((text) =>
    text.replace(
      /^(net\.\w+\.(?:conf|neigh)\.)(.+)(\.[^.]+)$/,
      (_, head, name, leaf) => `${head}${name.replaceAll(".", "/")}${leaf}`,
    ),
  );

/** The value of a sysctl as a program gives it. @internal */
export const sysctlText = z
  .string()
  .min(1)
  .max(1000)
  .regex(/^[\x20-\x7e\t]*$/, "has characters that no sysctl takes");

/** Returns the file under /proc/sys, where dots and slashes have changed places. */
export const sysctlPath = (name: string): string => name.replace(/[./]/g, (c) => (c === "." ? "/" : "."));

/** Returns the name of a per-interface IPv4 sysctl, such as `net.ipv4.conf.lo.arp_ignore`. */
export const interfaceSysctl = (name: string, leaf: string): string =>
  `net.ipv4.conf.${name.replaceAll(".", "/")}.${leaf}`;

/**
 * Returns a value with blanks collapsed, for comparison. The kernel prints tabs where people write spaces.
 */
export const sysctlValue = (text: string): string => text.trim().split(/\s+/).join(" ");

/**
 * Reads the output of read_sysctl (lib/read.sh): a value, with tabs where people write spaces. Returns
 * undefined if there is no such sysctl.
 */
export function parseSysctl(body: string): string | undefined {
  if (body === "") return undefined;
  // The text came byte by byte and is UTF-8.
  const value = Buffer.from(body.replace(/\n$/, ""), "latin1").toString("utf8");
  if (!isPlain(value.replaceAll("\t", " "))) throw new Error(`unexpected output ${show(body)}`);
  return value;
}
