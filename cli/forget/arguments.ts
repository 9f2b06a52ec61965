import { parseArgs } from "node:util";
import { show } from "../../src/values/problem.js";
import type { Forget } from "./forget.js";

/** The parsed command line. */
export type ForgetCommandLine =
  | { readonly command: "help" }
  | { readonly command: "wrong"; readonly why: string }
  | ({ readonly command: "forget" } & Forget);

/** Flags of the connection. Each is the argument of that name, with hyphens between words. */
const ofConnection = {
  user: "string",
  port: "string",
  "password-env": "string",
  "private-key-path": "string",
  "private-key-env": "string",
  "private-key-password-env": "string",
  "agent-socket-path": "string",
  "host-key": "string",
  "known-hosts": "string",
  sudo: "boolean",
  "insecure-ignore-host-key": "boolean",
  "insecure-allow-sha1": "boolean",
} as const;

const camelCase = (flag: string) => flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Parses the command line of `pulumi-lvs forget`, after the command. */
export function parseForget(argv: readonly string[]): ForgetCommandLine {
  const wrong = (why: string): ForgetCommandLine => ({
    command: "wrong",
    why: `${why}; see pulumi-lvs --help`,
  });
  const options = Object.fromEntries(Object.entries(ofConnection).map(([flag, type]) => [flag, { type }]));
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(argv, options);
  } catch (error) {
    return wrong(`forget: ${(error as Error).message.split(/[.;\n]/)[0]}`);
  }
  const { yes = false, help, "all-of": allOf, ...given } = parsed.values;
  if (help) return { command: "help" };
  const [host, ...more] = parsed.positionals;
  if (host === undefined) return wrong("forget needs the name of a host");
  if (more.length > 0) return wrong(`forget takes one host, not ${more[0]} too`);
  if (allOf !== undefined && !/^[^/]+\/[^/]+$/.test(allOf))
    return wrong("--all-of needs PROJECT/STACK, such as lvs/prod");
  const { port } = given as { port?: string };
  if (port !== undefined && !/^\d+$/.test(port)) return wrong(`--port needs a number, not ${show(port)}`);
  const connection = Object.fromEntries(
    Object.entries(given).map(([flag, value]) => [camelCase(flag), flag === "port" ? Number(value) : value]),
  );
  return {
    command: "forget",
    connection: { host, ...connection },
    yes,
    ...(allOf === undefined ? {} : { allOf }),
  };
}

const parse = (args: readonly string[], options: Record<string, { type: "string" | "boolean" }>) =>
  parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...options,
      yes: { type: "boolean", short: "y" },
      help: { type: "boolean", short: "h" },
      "all-of": { type: "string" },
    },
  });
