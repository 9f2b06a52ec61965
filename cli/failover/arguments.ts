import { given, stackFlags } from "../arguments.js";
import type { CommandLine } from "../command-line.js";

type Flags = Readonly<Record<string, unknown>>;

const common = ({ json, ...flags }: Flags) => ({ ...(json ? { json: true } : {}), ...stackFlags(flags) });

/** Reads the arguments and flags of `failover`. */
export function parseFailover([name, ...more]: readonly string[], flags: Flags): CommandLine {
  const wrong = (why: string): CommandLine => ({
    command: "wrong",
    why: `${why}; see pulumi-lvs failover --help`,
  });
  if (name === undefined) return wrong("failover needs the name of a VrrpInstance or of a cluster");
  if (more.length > 0) return wrong(`failover takes one name, not ${more[0]} too`);
  if (flags.to && flags.back) return wrong("failover takes --to or --back, not both");
  return {
    ...{ command: "failover", name },
    ...given("to", flags.to),
    ...(flags.back ? { back: true } : {}),
    ...common(flags),
  };
}

/** Reads the arguments and flags of `rolling`. */
export function parseRolling([name, ...words]: readonly string[], flags: Flags): CommandLine {
  const wrong = (why: string): CommandLine => ({
    command: "wrong",
    why: `${why}; see pulumi-lvs rolling --help`,
  });
  if (name === undefined) return wrong("rolling needs the name of a VrrpInstance or of a cluster");
  const line = words.join(" ").trim();
  if (line === "") return wrong("rolling needs a command behind --, such as -- reboot");
  return { ...{ command: "rolling", name, line }, ...stackFlags(flags) };
}

/** Reads the arguments and flags of `maintenance`. */
export function parseMaintenance([host, ...more]: readonly string[], flags: Flags): CommandLine {
  const wrong = (why: string): CommandLine => ({
    command: "wrong",
    why: `${why}; see pulumi-lvs maintenance --help`,
  });
  if (host === undefined) return wrong("maintenance needs the name of a host");
  if (more.length > 0) return wrong(`maintenance takes one host, not ${more[0]} too`);
  return { ...{ command: "maintenance", host }, ...(flags.end ? { end: true } : {}), ...common(flags) };
}
