import { HostError } from "../../src/errors.js";
import type { Facts } from "../../src/facts/facts.js";
import type { Done } from "../../src/host/job.js";
import type { Step } from "../../src/host/step.js";
import { plainText } from "../../src/values/foreign.js";
import type { Change, Verb } from "../engine/change.js";
import { stackOf } from "../engine/ledger.js";
import { isRollingBack } from "../engine/rolling-back.js";
import {
  type Drained,
  drained,
  forgetting,
  quiesced,
  quiescedFirst,
  type ServerOperation,
} from "../real-server/drain.js";
import { realServer } from "../real-server/index.js";
import { type Config, keyOf, type Pool } from "./pool-fields.js";
import { allOf, named, operationOn, type PoolOperation, type Service, undeclared } from "./pool-operation.js";
import { leftBehind, ownDraining, readPool, serversOf } from "./pool-servers.js";
import { inFewCommands, joined } from "./pool-steps.js";

/** What a change of a pool does with the servers that leave it. */
interface Leaving {
  /** Those that stay, because they have to drain first. */
  readonly stay?: ReadonlySet<string>;
  /** The results of those that have drained. */
  readonly drained?: ReadonlyMap<string, Drained | undefined>;
}

/** Returns the change of a service with its pool: one transaction, with a record of each server. */
function poolChange(
  operation: PoolOperation,
  { id, change }: Service,
  pool: NonNullable<Pool>,
  leaving: Leaving,
): Change {
  const { host, was } = operation;
  const owner = operation.resource;
  /** Plan, check and observation use the same ones. */
  const changes = new Map<string, Change>();
  const on = (verb: ServerOperation["verb"], at: string, config: Config): Change => {
    const made =
      changes.get(`${verb} ${at}`) ??
      forgetting(operationOn(operation, id, verb, at, config), leaving.drained?.get(at));
    changes.set(`${verb} ${at}`, made);
    return made;
  };
  /** A server that was a RealServer of this stack has been declared before, too. */
  const isOld = (facts: Facts, at: string) =>
    !was ||
    was.realServers?.[at] !== undefined ||
    facts
      .ledger()
      .of(`RealServer ${id}/${at}`)
      .some((one) => stackOf(one.owner) === stackOf(owner));
  const members = (facts: Facts, verb: Verb): [string, Verb, Change][] =>
    Object.entries(pool).map(([at, config]) => {
      const its = isOld(facts, at) ? verb : "create";
      return [at, its, on(its, at, config)];
    });
  /** A PoolDrain ends the drains of others. */
  const stays = (facts: Facts, at: string) =>
    leaving.stay?.has(at) ||
    (operation.config.drainLater && !leaving.drained?.has(at) && ownDraining(facts, id).includes(at));
  const gone = (facts: Facts): [string, Verb, Change][] =>
    serversOf(facts, id, owner)
      .filter((at) => !pool[at] && !stays(facts, at))
      .map((at) => [at, "delete", on("delete", at, was?.realServers?.[at] ?? undeclared)]);

  /** Throws if a server is there that a new pool would remove although nothing has declared it. */
  const refuseFound = (facts: Facts, servers: readonly [string, Verb, Change][]) => {
    if (operation.adopts || was?.realServers) return;
    const found = servers.find(([, , change]) => !change.declares(facts));
    if (found)
      throw new HostError(
        host,
        `the service has ${plainText(found[0])} already, which is not in realServers`,
        "write it there, remove it on the host, or set adopt: true to remove it with this change",
      );
  };

  return {
    facts: [...new Set([...change.facts, ...realServer.facts({}, undefined), "draining" as const])],

    plan(verb, view) {
      const { facts } = view;
      if (verb === "delete") {
        const forgotten = serversOf(facts, id, owner).flatMap((at) =>
          on("delete", at, pool[at] ?? undeclared)
            .plan("delete", view)
            .filter(({ run: [name] }) => name === "end_drain" || name === "note_drained"),
        );
        const notes = forgotten.filter(({ undo }) => undo === null);
        return joined([
          ...forgotten.filter((one) => !notes.includes(one)),
          ...change.plan(verb, view),
          ...notes,
        ]);
      }
      const leaving = gone(facts);
      refuseFound(facts, leaving);
      const planned = (servers: readonly [string, Verb, Change][]): Step[] =>
        servers.flatMap(([at, verb, change]) => named(at, () => change.plan(verb, view)));
      return inFewCommands([...change.plan(verb, view), ...planned(members(facts, verb))], planned(leaving));
    },

    mismatch(verb, facts) {
      const why = change.mismatch(verb, facts);
      if (why !== undefined || verb === "delete") return why;
      for (const [at, its, change] of [...members(facts, verb), ...gone(facts)]) {
        const reason = change.mismatch(its, facts);
        if (reason !== undefined) return `${at}: ${reason}`;
      }
      return undefined;
    },

    declares: change.declares,
    adopts: change.adopts,
    observe: (facts) => [
      change.observe(facts),
      readPool(facts, id, pool),
      facts.draining().filter(({ service }) => service === id),
    ],
  };
}

/** Returns the change of a service without a pool that also deletes what a former pool has left behind. */
function clearing(operation: PoolOperation, { id, change }: Service): Change {
  const left = (facts: Facts) => leftBehind(facts, id, operation.resource);
  return {
    ...change,
    facts: [...change.facts, ...realServer.facts({}, undefined), "draining"],
    plan: (verb, view) =>
      inFewCommands(
        change.plan(verb, view),
        left(view.facts).flatMap((at) =>
          forgetting(operationOn(operation, id, "delete", at, undeclared)).plan("delete", view),
        ),
      ),
    mismatch(verb, facts) {
      const [at] = left(facts);
      return change.mismatch(verb, facts) ?? (at && `${at}: its record is still there`);
    },
    observe: (facts) => [
      change.observe(facts),
      left(facts).map((at) => realServer.read(facts, keyOf(id, at), undeclared)),
      facts.draining().filter(({ service }) => service === id),
    ],
  };
}

/**
 * Returns whether a deletion has anything to do. Throws if it is refused: a drain before it would leave the servers
 * quiesced.
 */
async function mayGo({ facts, owner, submit }: PoolOperation, change: Change): Promise<boolean> {
  let does = false;
  await submit({
    facts: [...facts, ...change.facts],
    plan(facts) {
      does = change.plan("delete", { facts, owner, persist: false }).length > 0;
      return { steps: [] };
    },
    observe: () => undefined,
    verify: () => undefined,
  });
  return does;
}

/**
 * Wraps the operations on a service that has a pool. Servers that leave it drain after those that come are there, and
 * those whose weight becomes 0 drain at the end. With `drainLater` those that leave are only quiesced. In a rollback they
 * drain here, because a PoolDrain that the update had not reached has no change.
 */
export async function pooling<Notes>(
  operation: PoolOperation,
  service: Service,
  make: (change: Change) => Promise<Done<Notes>>,
): Promise<Done<Notes>> {
  const { verb, config, was } = operation;
  const pool = config.realServers;
  if (!pool) {
    // A refresh has shown the user which servers go. In the update that drops a pool, all may become resources.
    const clears = verb === "update" && operation.isStale && was?.realServers;
    return make(clears ? clearing(operation, service) : service.change);
  }
  const change = (leaving: Leaving = {}) => poolChange(operation, service, pool, leaving);
  const leaves = Object.entries((verb === "delete" ? pool : was?.realServers) ?? {}).flatMap(
    ([at, config]) =>
      config.drain && (verb === "delete" || !pool[at])
        ? [[at, operationOn(operation, service.id, "delete", at, config)] as const]
        : [],
  );
  if (verb === "read" || verb === "create") return make(change());
  if (verb === "delete") {
    const drains = leaves.length > 0 && (await mayGo(operation, service.change));
    return make(change(drains ? { drained: await allOf(leaves, (one) => drained(one, true)) } : {}));
  }
  let done = await make(change({ stay: new Set(leaves.map(([at]) => at)) }));
  if (config.drainLater && !isRollingBack()) {
    const waits = await allOf(leaves, quiescedFirst);
    // Those that have nothing to wait for go now.
    if ([...waits.values()].includes(false)) done = await make(change());
  } else if (leaves.length > 0)
    done = await make(change({ drained: await allOf(leaves, (one) => drained(one)) }));
  const rests = Object.entries(pool).flatMap(([at, config]) =>
    was?.realServers?.[at] && config.drain && config.weight === 0
      ? [[at, operationOn(operation, service.id, "update", at, config)] as const]
      : [],
  );
  const facts = [...(await allOf(rests, quiesced)).values()].filter((one) => one !== undefined);
  return facts.length > 0 ? { ...done, facts: facts.at(-1) as Facts } : done;
}
