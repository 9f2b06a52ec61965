import type { Definition } from "./define.js";
import type { Bag } from "./inputs.js";

/** Outputs in a bag that only tell. */
export const shownBy = ({ shows }: Definition, bag: Bag): Bag =>
  Object.fromEntries(Object.entries(bag).filter(([name]) => shows?.names.includes(name)));

/** The rest of a bag. */
export const without = (bag: Bag, names: readonly string[]): Bag =>
  Object.fromEntries(Object.entries(bag).filter(([name]) => !names.includes(name)));
