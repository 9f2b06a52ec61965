import { isDeepStrictEqual } from "node:util";
import type { Definition } from "./define.js";
import { found, undeclared } from "./flags.js";
import { type Bag, clean, isOtherHost, partsOf } from "./inputs.js";

/** What of the common inputs an update is about. */
const common = ["connection", "persist"];

/**
 * What is to be done so that the old becomes the new. Pure. Names `changes: true` only where no property differs: then Pulumi
 * shows property by property what changes.
 */
export function diff(definition: Definition, olds: Bag, news: Bag) {
  const [was, is] = [partsOf(definition, olds), partsOf(definition, news)];
  const unlike = (a: Bag, b: Bag) =>
    Object.keys({ ...a, ...b }).filter((name) => !isDeepStrictEqual(plain(a[name]), plain(b[name])));
  const otherHost = isOtherHost(olds, news);
  const replaces = [...unlike(was.key, is.key), ...(otherHost ? ["connection"] : [])];
  const same = common.every((name) => isDeepStrictEqual(plain(olds[name]), plain(news[name])));
  const isOurs = found.every((flag) => olds[flag] === undefined);
  if (replaces.length === 0 && same && isOurs && unlike(was.config, is.config).length === 0)
    return { changes: olds[undeclared] !== undefined };
  // another name for one machine would find the old entry in place, and deleting the old would take it away again
  return { replaces, deleteBeforeReplace: otherHost };
}

/** As Pulumi's wire carries it, which drops undefined. */
export const plain = (value: unknown): unknown => (value === undefined ? undefined : clean(value));
