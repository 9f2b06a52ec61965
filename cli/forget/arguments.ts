import { show } from "../../src/values/problem.js";
import type { CommandLine } from "../command-line.js";

/** Reads the arguments and flags of `forget`. */
export function parseForget(hosts: readonly string[], flags: Readonly<Record<string, unknown>>): CommandLine {
  const wrong = (why: string): CommandLine => ({
    command: "wrong",
    why: `${why}; see pulumi-lvs forget --help`,
  });
  const {
    yes = false,
    json,
    allOf,
    ...connection
  } = flags as {
    yes?: boolean;
    json?: boolean;
    allOf?: string;
    port?: string;
  };
  const [host, ...more] = hosts;
  if (host === undefined) return wrong("forget needs the name of a host");
  if (more.length > 0) return wrong(`forget takes one host, not ${more[0]} too`);
  if (allOf !== undefined && !/^[^/]+\/[^/]+$/.test(allOf))
    return wrong("--all-of needs PROJECT/STACK, such as lvs/prod");
  const { port } = connection;
  if (port !== undefined && !/^\d+$/.test(port)) return wrong(`--port needs a number, not ${show(port)}`);
  return {
    command: "forget",
    connection: { host, ...connection, ...(port === undefined ? {} : { port: Number(port) }) },
    yes,
    ...(json ? { json: true } : {}),
    ...(allOf === undefined ? {} : { allOf }),
  };
}
