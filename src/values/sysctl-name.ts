import { z } from "zod";
import { isPlain } from "./foreign.js";
import { show } from "./problem.js";

/**
 * A sysctl's name as sysctl(8) writes it: `net.ipv4.ip_forward`. A dot inside a part is a slash:
 * `net.ipv4.conf.eth0/100.arp_ignore` for the interface eth0.100.
 */
export const sysctlName = z
  .string()
  .max(200)
  // a slash stands between characters, lest a part of the path be `..`
  .refine((text) => /^[a-z0-9_]+(\.[A-Za-z0-9_@-]+(\/[A-Za-z0-9_@-]+)*)+$/.test(text), {
    error: ({ input }) => `${show(input)} is no sysctl name such as net.ipv4.ip_forward`,
  });

/** The file under /proc/sys: dots and slashes change places. */
export const sysctlPath = (name: string): string => name.replace(/[./]/g, (c) => (c === "." ? "/" : "."));

/** The name of a per-interface IPv4 sysctl, such as `net.ipv4.conf.lo.arp_ignore`. */
export const interfaceSysctl = (name: string, leaf: string): string =>
  `net.ipv4.conf.${name.replaceAll(".", "/")}.${leaf}`;

/** Values are compared with blanks collapsed: the kernel prints tabs where people write spaces. */
export const sysctlValue = (text: string): string => text.trim().split(/\s+/).join(" ");

/** Reads what read_sysctl (prelude.ts) prints: a value, with tabs where people write blanks; undefined where there is no such sysctl. */
export function parseSysctl(body: string): string | undefined {
  if (body === "") return undefined;
  // what came byte by byte is UTF-8
  const value = Buffer.from(body.replace(/\n$/, ""), "latin1").toString("utf8");
  if (!isPlain(value.replaceAll("\t", " "))) throw new Error(`unexpected output ${show(body)}`);
  return value;
}
