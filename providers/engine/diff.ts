import { isDeepStrictEqual } from "node:util";
import { show } from "../../src/values/problem.js";
import type { Definition } from "./define.js";
import { isWhole, missing, says } from "./flags.js";
import { type Bag, clean, isOtherHost, isShared, partsOf } from "./inputs.js";

/** The common inputs that an update may change. */
const common = ["connection", "persist"];

/**
 * Returns how the old inputs become the new ones. Pure. Sets `changes: true` only if no property differs, so
 * that Pulumi shows each change by its property.
 */
export function diff(definition: Definition, olds: Bag, news: Bag) {
  const [was, is] = [partsOf(definition, olds), partsOf(definition, news)];
  const unlike = (a: Bag, b: Bag) =>
    Object.keys({ ...a, ...b }).filter((name) => !isDeepStrictEqual(plain(a[name]), plain(b[name])));
  const otherHost = isOtherHost(olds, news);
  const replaces = [...unlike(was.key, is.key), ...(otherHost ? ["connection"] : [])];
  const same =
    common.every((name) => isDeepStrictEqual(plain(olds[name]), plain(news[name]))) &&
    isShared(olds) === isShared(news);
  // Pulumi shows these by the inputs that refresh wrote.
  const isShown = olds[missing] !== undefined || says(olds, "missing");
  if (replaces.length === 0 && same && !isShown && unlike(was.config, is.config).length === 0)
    return { changes: !isWhole(olds) };
  // The host may be the same machine by another name. Creating first would find the old entry there, and
  // deleting the old one would then remove it.
  return { replaces, deleteBeforeReplace: otherHost };
}

/** Returns a value as Pulumi's wire carries it, without undefined. */
export const plain = (value: unknown): unknown => (value === undefined ? undefined : clean(value));

/** Returns the differences between have and want, as text for people. */
export const contrast = (have: Bag, want: Bag): string =>
  Object.keys(want)
    .filter((name) => !isDeepStrictEqual(have[name], want[name]))
    .map((name) => `${name} is ${show(have[name])}, wanted ${show(want[name])}`)
    .join(", ");
