import { HostError } from "../../src/errors.js";
import { type Host, hostOf } from "../../src/host/host.js";
import { readingJob } from "../../src/host/reading.js";
import { type Connection, connection, hostLabel } from "../../src/ssh/connection.js";
import { plainText } from "../../src/values/foreign.js";
import { problemsOf } from "../../src/values/problem.js";
import { flagOf, inFlags } from "./flags.js";
import { factsFor, type LeftOver, leftOver } from "./left.js";

/** Options of `pulumi-lvs forget`. */
export interface Forget {
  /** How to reach the host, as on the command line: see `Connection`. */
  readonly connection: Readonly<Record<string, unknown>>;
  /** `PROJECT/STACK` of which everything is meant, whether it exists or not. */
  readonly allOf?: string;
  /** Whether to remove the listed things. */
  readonly yes: boolean;
  /** Whether to list as JSON. */
  readonly json?: boolean;
}

/** Exit codes. 1 is any failure, 2 a wrong command line. */
const forgetCodes = { done: 0, failed: 1, wrong: 2, "something left": 3 } as const;

type Output = { readonly list: (line: string) => void; readonly log: (line: string) => void };

/**
 * Lists what no stack declares any more, as far as a host can know. Removes it with `yes`. Returns the exit
 * code.
 */
export async function forget(
  options: Forget,
  { list, log }: Output,
  find = hostOf as FindHost,
): Promise<number> {
  const parsed = connection.safeParse(options.connection);
  if (!parsed.success) {
    for (const { path, reason } of problemsOf(parsed.error)) log(`${flagOf(path)}: ${inFlags(reason)}`);
    return forgetCodes.wrong;
  }
  const label = hostLabel(parsed.data);
  const host = find(parsed.data, label);
  const left = await leftOn(host, options).catch((error: unknown) => {
    if (!(error instanceof HostError)) throw error;
    throw new Error(inFlags(error.of("cannot list what is left over")), { cause: error });
  });
  if (options.json)
    list(
      JSON.stringify(
        left.map(({ step: _, ...one }) => ({ host: label, ...one })),
        null,
        2,
      ),
    );
  else for (const { text } of left) list(plainText(text, 500));
  if (left.length === 0)
    log(
      `${label} has ${options.allOf === undefined ? "nothing to forget" : `no record of ${options.allOf}`}`,
    );
  else if (options.yes)
    log(`forgotten on ${label}; what is there of entries, addresses, routes and settings stays as it is`);
  else
    log(
      `${label} cannot know whether a stack still declares these; run pulumi refresh in its stacks, then forget with --yes`,
    );
  return left.length > 0 && !options.yes ? forgetCodes["something left"] : forgetCodes.done;
}

type FindHost = (connection: Connection, label: string) => Pick<Host, "submit">;

/** Returns what is left over, and removes it with `yes`. */
async function leftOn(host: Pick<Host, "submit">, { allOf, yes }: Forget): Promise<LeftOver[]> {
  const owner = "forget";
  const { facts: known } = await host.submit(readingJob(owner, ["ledger"]));
  const { notes: left = [] } = await host.submit({
    owner,
    facts: factsFor(known),
    observe: () => undefined,
    plan: (facts) => {
      const left = leftOver(facts, allOf);
      return { steps: yes ? left.map(({ step }) => step) : [], notes: left };
    },
    verify: (facts) => {
      const [still] = yes ? leftOver(facts, allOf) : [];
      return still && `the host still keeps ${still.text}`;
    },
  });
  return left;
}
