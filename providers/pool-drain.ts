import { z } from "zod";
import { HostError } from "../src/errors.js";
import { Facts } from "../src/facts/facts.js";
import { mapOf } from "../src/values/problem.js";
import { serviceReference } from "../src/values/service-address.js";
import { type Change, noChange, type Operation } from "./engine/change.js";
import { define } from "./engine/define.js";
import { stackOf } from "./engine/ledger.js";
import { drained, forgetting } from "./real-server/drain.js";
import { type Drain, drainProblems, limits } from "./real-server/drain-fields.js";
import { server } from "./virtual-service/pool-fields.js";
import { allOf, operationOn, type PoolOperation, undeclared } from "./virtual-service/pool-operation.js";
import { inFewCommands } from "./virtual-service/pool-steps.js";

/** Arguments of a PoolDrain. */
export interface PoolDrainArgs {
  /** Virtual service with `drainLater`: `web.id`, or text such as `tcp://192.168.0.219:80`. A change replaces. */
  service: string;
  /** `drain` of each of its `realServers` that has one. A server that is taken out is removed after its drain. */
  realServers: { [server: string]: Drain };
}

const key = z.strictObject({ service: serviceReference });

const config = z.strictObject({ realServers: mapOf(server, limits) });

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

const ownerOf = (facts: Facts, service: string) =>
  facts.ledger().of(`VirtualService ${service}`)[0]?.owner ?? "";

/** Returns what the host has of these servers. Throws if the service has not quiesced one that is its own. */
async function begun(
  { host, resource, submit }: Operation,
  service: string,
  servers: readonly string[],
): Promise<{ owner: string; left: string[] }> {
  const leftIn = (facts: Facts) =>
    servers.filter((at) => {
      const owner = ownerOf(facts, service);
      // A run that ended in the middle may have erased the record only.
      const recorded = facts.ledger().of(`RealServer ${service}/${at}`)[0]?.owner ?? owner;
      return recorded === owner && stackOf(owner) === stackOf(resource);
    });
  const { facts } = await submit({
    facts: ["ledger", "table"],
    plan(facts) {
      const entries = facts.ipvs().get(service)?.realServers;
      const other = leftIn(facts).find((at) => (entries?.get(at)?.get("-w") ?? "0") !== "0");
      if (other === undefined) return { steps: [] };
      throw new HostError(
        host,
        `${other} does not have weight 0`,
        "run `pulumi up --refresh` with the service in it",
      );
    },
    observe: () => undefined,
    verify: () => undefined,
  });
  return { owner: ownerOf(facts, service), left: leftIn(facts) };
}

/**
 * The end of the drains that a service with `drainLater` has begun. An update of directors changes one after the other,
 * so none of them can wait in it for connections of the next one. This comes after all of them.
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
  facts: () => [],
  // No host shows it. So after a failure Pulumi keeps the former state, and the next update goes on.
  read: () => undefined,
  plan: () => [],

  async around(operation, make) {
    const { verb, key, config, was } = operation;
    const gone = Object.entries((verb === "update" && was?.realServers) || {}).filter(
      ([at]) => !config.realServers[at],
    );
    if (gone.length === 0) return { facts: Facts.nothing() };
    const names = gone.map(([at]) => at);
    const { owner, left } = await begun(operation, key.service, names);
    // The records are those of the service.
    const ofService: PoolOperation = {
      ...{ ...operation, config: { realServers: {}, drainLater: true }, was: undefined },
      changeOf: (kind, fields) => operation.changeOf(kind, { ...fields, owner }),
    };
    const leaves = gone
      .filter(([at]) => left.includes(at))
      .map(([at, drain]) => {
        const config = { ...undeclared, drain };
        return [at, operationOn(ofService, key.service, "delete", at, config)] as const;
      });
    const results = await allOf(leaves, (one) => drained(one, true));
    const changes = leaves.map(([at, one]) => {
      const change = forgetting(one, results.get(at));
      return [at, { ...change, facts: [...one.facts, ...change.facts] }] as const;
    });
    return make(removal(new Map(changes)));
  },
});
