import { type Deployment, entriesOf, nameIn } from "../../rollback/deployment.js";
import { HostError, TimedOutError } from "../../src/errors.js";
import { readingJob } from "../../src/host/reading.js";
import { withHosts } from "../failover/command.js";
import type { Group, Instance } from "../failover/instances.js";
import { declaredOn, factsFor, whatDiffers } from "../status/compare.js";
import { type Silence, type Silent, whyOf } from "./silence.js";

/** What reading of directors found. */
interface Level {
  /** Those that could not be read. */
  readonly silent: Silent;
  /** The hosts that are not as the state says, and the resources that differ there. */
  readonly unlike: ReadonlyMap<string, readonly string[]>;
}

/** Returns the directors that may have been left out by an earlier update, which only `allowDown` of their cluster lets happen. */
function mayBeBehind(before: Deployment, groups: readonly Group[]): Instance[] {
  const allowing = new Set(
    [...entriesOf(before).values()].flatMap(({ urn, outputs }) =>
      outputs?.allowDown === true ? [nameIn(urn)] : [],
    ),
  );
  const all = groups.filter(({ instances }) =>
    instances.some(({ within }) => within.some((one) => allowing.has(one))),
  );
  return [...new Map(all.flatMap(({ instances }) => instances).map((one) => [one.host, one])).values()];
}

/** Compares directors that answer with the state, if an earlier update may have left them out. */
export function levelOf(before: Deployment, groups: readonly Group[], silent: Silent): Promise<Level> {
  const behind = mayBeBehind(before, groups).filter(({ host }) => !silent.has(host));
  return withHosts(async (find) => {
    const notRead = new Map<string, Silence>();
    const unlike = new Map<string, readonly string[]>();
    await Promise.all(
      behind.map(async ({ host, connection }) => {
        const declared = declaredOn(before, host);
        try {
          const { facts } = await find(connection, host).submit(readingJob("up", factsFor(declared)));
          // What the host could not report is no difference.
          const urns = declared
            .filter((one) => typeof whatDiffers(one, facts) === "string")
            .map(({ urn }) => urn);
          if (urns.length > 0) unlike.set(host, urns);
        } catch (error) {
          if (!(error instanceof HostError)) throw error;
          notRead.set(host, { why: whyOf(error), isDown: error instanceof TimedOutError });
        }
      }),
    );
    return { silent: notRead, unlike };
  });
}
