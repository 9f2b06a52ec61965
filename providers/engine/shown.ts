import type { Definition } from "./define.js";
import type { Bag } from "./inputs.js";

/** Returns the computed outputs in a bag. */
export const shownBy = ({ shows }: Definition, bag: Bag): Bag =>
  Object.fromEntries(Object.entries(bag).filter(([name]) => shows?.names.includes(name)));

/** Returns a bag without some names. */
export const without = (bag: Bag, names: readonly string[]): Bag =>
  Object.fromEntries(Object.entries(bag).filter(([name]) => !names.includes(name)));
