import { z } from "zod";
import { HostError } from "../src/errors.js";
import { Facts } from "../src/facts/facts.js";
import { readingJob } from "../src/host/reading.js";
import { mapOf } from "../src/values/problem.js";
import { serviceReference } from "../src/values/service-address.js";
import { type Change, noChange, type Operation } from "./engine/change.js";
import { define } from "./engine/define.js";
import { stackOf } from "./engine/ledger.js";
import { drained, forgetting } from "./real-server/drain.js";
import { type Drain, drainProblems, type Limits, limits } from "./real-server/drain-fields.js";
import { recordedConfig } from "./real-server/index.js";
import { server } from "./virtual-service/pool-fields.js";
import { allOf, operationOn, type PoolOperation, undeclared } from "./virtual-service/pool-operation.js";
import { ownDraining, ownerOf, ownServers } from "./virtual-service/pool-servers.js";
import { inFewCommands } from "./virtual-service/pool-steps.js";

/** Arguments of a PoolDrain. */
export interface PoolDrainArgs {
  /** Virtual service with `drainLater`: `web.id`, or text such as `tcp://192.168.0.219:80`. A change replaces. */
  service: string;
  /** `drain` of each of its `realServers`, or `null`. A server that is taken out is removed after its drain. */
  realServers: { [server: string]: Drain | null };
}

const key = z.strictObject({ service: serviceReference });

const config = z.strictObject({ realServers: mapOf(server, limits.nullable()) });

type Config = z.output<typeof config>;

/** Returns the removal of servers that have drained, as one transaction. */
const removal = (servers: ReadonlyMap<string, Change>): Change => ({
  ...noChange,
  facts: [...new Set([...servers.values()].flatMap(({ facts }) => facts))],
  plan: (_verb, view) =>
    inFewCommands(
      [],
      [...servers.values()].flatMap((change) => change.plan("delete", view)),
    ),
  mismatch(_verb, facts) {
    for (const [at, change] of servers) {
      const why = change.mismatch("delete", facts);
      if (why !== undefined) return `${at}: ${why}`;
    }
    return undefined;
  },
  observe: (facts) => [...servers.values()].map((change) => change.observe(facts)),
});

/** Returns whether the service has declared weight 0 of a server. Such a member drains, and stays. */
const isDeclaredQuiesced = (facts: Facts, service: string, at: string): boolean =>
  recordedConfig(facts, `${service}/${at}`)?.weight === 0;

/** Returns the servers of the host that are to be removed, which its service has quiesced. Throws if it has not. */
async function begun(
  { verb, host, resource, config, was, submit }: Operation<unknown, Config>,
  service: string,
): Promise<{ owner: string; left: string[] }> {
  const isDeclared = (facts: Facts, at: string) =>
    verb === "delete" ? isDeclaredQuiesced(facts, service, at) : config.realServers[at] !== undefined;
  const leftIn = (facts: Facts) => {
    if (stackOf(ownerOf(facts, service) ?? "") !== stackOf(resource)) return [];
    const draining = ownDraining(facts, service);
    return ownServers(facts, service).filter(
      // A run that ended in a removal may have forgotten the drain only.
      (at) => !isDeclared(facts, at) && (draining.includes(at) || was?.realServers[at] !== undefined),
    );
  };
  const { facts } = await submit({
    ...readingJob(resource, ["ledger", "table", "draining"]),
    plan(facts) {
      const entries = facts.ipvs().get(service)?.realServers;
      const draining = ownDraining(facts, service);
      const other = leftIn(facts).find(
        (at) => !draining.includes(at) && (entries?.get(at)?.get("-w") ?? "0") !== "0",
      );
      if (other === undefined) return { steps: [] };
      throw new HostError(
        host,
        `${other} does not have weight 0`,
        "run `pulumi up --refresh` with the service in it",
      );
    },
  });
  return { owner: ownerOf(facts, service) ?? "", left: leftIn(facts) };
}

/** Returns the limits of a server that has left: its former ones, or the longest of its pool, or the defaults. */
function limitsOf(at: string, ...configs: readonly (Config | undefined)[]): Limits {
  const known = configs.flatMap((one) => one?.realServers[at] ?? []);
  const others = configs.flatMap((one) =>
    Object.values(one?.realServers ?? {}).flatMap((drain) => drain ?? []),
  );
  return known[0] ?? others.toSorted((a, b) => b.timeout - a.timeout)[0] ?? limits.parse({});
}

/**
 * The end of the drains that a service with `drainLater` has begun. An update of directors changes one after the other,
 * so none of them can wait in it for connections of the next one. This comes after all of them. The host says which
 * drains have begun, because a run may have ended before this.
 *
 * @internal
 */
export const poolDrain = define({
  kind: "PoolDrain",
  key,
  config,

  validate: (_key, { realServers }) =>
    Object.entries(realServers).flatMap(([at, drain]) =>
      drainProblems({ drain }).map(({ reason }) => ({ path: `realServers["${at}"].minimum`, reason })),
    ),

  id: ({ service }) => `drain/${service}`,
  facts: () => ["ledger", "draining"],
  // What another run has left is a difference, and the next update ends its drain.
  read: (facts, { service }, want) => ({
    realServers: {
      ...Object.fromEntries(ownDraining(facts, service).map((at) => [at, null])),
      ...want?.realServers,
    },
  }),
  plan: () => [],

  async around(operation, make) {
    const { verb, key, config, was } = operation;
    if (verb === "read") return make(operation.change);
    const { owner, left } = await begun(operation, key.service);
    if (left.length === 0) return { facts: Facts.nothing() };
    // The records are those of the service.
    const ofService: PoolOperation = {
      ...{ ...operation, config: { realServers: {}, drainLater: true }, was: undefined },
      changeOf: (kind, fields) => operation.changeOf(kind, { ...fields, owner }),
    };
    const leaves = left.map((at) => {
      const fields = { ...undeclared, drain: limitsOf(at, was, config) };
      return [at, operationOn(ofService, key.service, "delete", at, fields)] as const;
    });
    const results = await allOf(leaves, (one) => drained(one, true));
    const changes = leaves.map(([at, one]) => {
      const change = forgetting(one, results.get(at));
      return [at, { ...change, facts: [...one.facts, ...change.facts] }] as const;
    });
    return make(removal(new Map(changes)));
  },
});
