import { HostError } from "../src/errors.js";
import { hostOf } from "../src/host/host.js";
import { visible } from "../src/values/foreign.js";
import { oldNode } from "../src/values/node-version.js";
import { isUncertain, knownOutcome } from "../src/values/outcome.js";
import { Engine } from "./engine/engine.js";
import type { Bag } from "./engine/inputs.js";
import { Program } from "./engine/program.js";
import * as classes from "./index.js";

const program = new Program();

/** The engine of each kind of resource, by its name. @internal */
export const engines: ReadonlyMap<string, Engine> = new Map(
  Object.values(classes).map(({ definition }) => [
    definition.kind,
    new Engine(definition, hostOf, undefined, program),
  ]),
);

/** Things that one run of Pulumi creates or has created, with their owners. @internal */
export type Made = Map<string, { owner: unknown; isDone: boolean }>;

/**
 * Things that this run of Pulumi has created, with their owners. A renamed or replaced resource is first
 * created under its new name, which takes over the existing thing. Then it is deleted under its old name,
 * which must not remove the thing. If two resources declared one thing before that was refused, the remaining
 * one gets it.
 */
const made: Made = new Map();

/** Returns the functions that Pulumi calls for a kind, in a run that has made these things so far. @internal */
export const verbsOf = (engine: Engine, made: Made) => ({
  check: (olds: Bag, news: Bag) => {
    const { inputs, failures } = engine.check(olds, news);
    const reason = failures.length > 0 ? undefined : engine.declare(olds, inputs);
    return { inputs, failures: reason === undefined ? failures : [{ property: "", reason }] };
  },
  diff: (id: string, olds: Bag, news: Bag) => {
    engine.declared.noteKept(news, olds.owner ?? news.owner);
    return engine.diff(id, olds, news);
  },
  create: async (inputs: Bag) => {
    const thing = engine.thing(inputs);
    const first = made.get(thing);
    if (first) throw engine.declaredTwice(inputs, first.owner);
    // Pulumi creates many resources at a time, so the entry counts from the start.
    const entry = { owner: inputs.owner, isDone: false };
    made.set(thing, entry);
    try {
      const result = await engine.create(inputs);
      entry.isDone = true;
      return result;
    } finally {
      if (!entry.isDone) made.delete(thing);
    }
  },
  read: (id: string, props: Bag) => engine.read(id, props),
  update: (id: string, olds: Bag, news: Bag) => engine.update(id, olds, news),
  delete: async (id: string, props: Bag) => {
    if (made.get(engine.thing(props))?.isDone) return;
    const other = engine.declared.otherDeclaration(props);
    if (other) await engine.update(id, other, other);
    else await engine.delete(id, props);
  },
});

/**
 * Gives a provider object its functions. The text in every resource's state calls it (see
 * engine/resource-class.ts), so this path and signature must never change. Synchronous, because Pulumi does
 * not wait for it before it uses the object.
 */
export function install(self: Bag): void {
  const problem = oldNode();
  if (problem !== undefined) throw oneLine(new Error(problem));
  const engine = engines.get(self.kind as string);
  if (!engine)
    throw oneLine(
      new Error(
        `cannot load ${self.kind}: this version of pulumi-lvs has no such kind; install the version that made the resource`,
      ),
    );
  for (const [verb, run] of Object.entries(verbsOf(engine, made))) {
    self[verb] = async (...args: never[]) => {
      try {
        return await (run as (...args: never[]) => unknown)(...args);
      } catch (error) {
        throw oneLine(error as Error, verb);
      }
    };
  }
}

/** Reduces an error to its message, because Pulumi prints the stack of a provider's error. Adds its token. */
function oneLine(error: Error, verb?: string): Error {
  // The outcome after any other error, such as a programming mistake, is not known.
  const isKnown = verb === "create" && error.cause instanceof HostError && !isUncertain(error.message);
  const message = visible(error.message.replace(/\p{Cc}+/gu, " ")) + (isKnown ? ` ${knownOutcome}` : "");
  error.message = message;
  // A programming mistake keeps its stack.
  if (error.name === "Error") error.stack = message;
  return error;
}
