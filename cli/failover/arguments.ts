import { given, stackFlags } from "../arguments.js";
import type { CommandLine } from "../command-line.js";

type Flags = Readonly<Record<string, unknown>>;

const outputFlags = ({ json, ...flags }: Flags) => ({
  ...(json ? { json: true } : {}),
  ...stackFlags(flags),
});

const wrongOf =
  (command: string) =>
  (why: string): CommandLine => ({ command: "wrong", why: `${why}; see pulumi-lvs ${command} --help` });

/** Reads the arguments and flags of `failover`. */
export function parseFailover([name, ...more]: readonly string[], flags: Flags): CommandLine {
  const wrong = wrongOf("failover");
  if (name === undefined) return wrong("failover needs the name of a VrrpInstance or of a cluster");
  if (more.length > 0) return wrong(`failover takes one name, not ${more[0]} too`);
  if (flags.to && flags.back) return wrong("failover takes --to or --back, not both");
  return {
    ...{ command: "failover", name },
    ...given("to", flags.to),
    ...(flags.back ? { back: true } : {}),
    ...outputFlags(flags),
  };
}

/** Reads the arguments and flags of `status`. */
export function parseStatus([name, ...more]: readonly string[], flags: Flags): CommandLine {
  if (more.length > 0) return wrongOf("status")(`status takes one name, not ${more[0]} too`);
  return { command: "status", ...given("name", name), ...outputFlags(flags) };
}

/** Reads the arguments and flags of `rolling`. */
export function parseRolling([name, ...words]: readonly string[], flags: Flags): CommandLine {
  const wrong = wrongOf("rolling");
  if (name === undefined) return wrong("rolling needs the name of a VrrpInstance or of a cluster");
  const line = words.join(" ").trim();
  if (line === "") return wrong("rolling needs a command behind --, such as -- reboot");
  return { ...{ command: "rolling", name, line }, ...stackFlags(flags) };
}

/** Reads the arguments and flags of `maintenance`. */
export function parseMaintenance([host, ...more]: readonly string[], flags: Flags): CommandLine {
  const wrong = wrongOf("maintenance");
  if (host === undefined) return wrong("maintenance needs the name of a host");
  if (more.length > 0) return wrong(`maintenance takes one host, not ${more[0]} too`);
  return { ...{ command: "maintenance", host }, ...(flags.end ? { end: true } : {}), ...outputFlags(flags) };
}
