import type { Facts } from "../../src/facts/facts.js";
import type { Job } from "../../src/host/job.js";
import { hostLabel } from "../../src/ssh/connection.js";
import type { Change, Verb } from "./change.js";
import type { Definition } from "./define.js";
import { drain, type Watch } from "./drain.js";
import { settled, told } from "./drain-change.js";
import type { Drained } from "./drains.js";
import { type Bag, connectionOf, partsOf } from "./inputs.js";

/** The engine's means for the functions that wait. */
export interface Around {
  readonly owner: string;
  readonly change: Change;
  readonly watch: Watch;
  ask(verb: Verb, job: Omit<Job, "owner">): Promise<Facts>;
}

/**
 * Waits until a thing is no longer in use, if the definition tells how to see that and the config asks for
 * it.
 */
export async function drained(
  definition: Definition,
  verb: Verb,
  inputs: Bag,
  { owner, change, watch, ask }: Around,
): Promise<Drained | undefined> {
  const { drains } = definition;
  const { key, config } = partsOf(definition, inputs);
  const patience = drains?.patience(config);
  if (!drains || !patience) return undefined;
  const host = hostLabel(connectionOf(inputs));
  const isLeaving = (facts: Facts) =>
    verb !== "delete" || change.plan(verb, { facts, owner, persist: false }).length > 0;
  const result = await drain(
    { drains, key, patience, facts: [...definition.facts(key, config), ...change.facts], isLeaving },
    { host, watch, submit: (job) => ask(verb, job) },
  );
  if (result) watch.tell(told(verb, host, drains.words(key), result));
  return result;
}

/**
 * Waits after an update that stops new clients. Returns the computed outputs once the connections have ended.
 */
export async function quiesced(definition: Definition, olds: Bag, news: Bag, around: Around): Promise<Bag> {
  const { drains, shows } = definition;
  const [was, want] = [partsOf(definition, olds), partsOf(definition, news)];
  if (!drains?.isQuiesced(want.config) || drains.isQuiesced(was.config)) return {};
  const result = await drained(definition, "update", news, around);
  if (!result) return {};
  const job = settled(drains, want.key, result);
  const facts = await around.ask("update", {
    ...job,
    facts: [...job.facts, ...(shows?.facts(want.key) ?? [])],
  });
  return shows?.read(facts, want.key) ?? {};
}
