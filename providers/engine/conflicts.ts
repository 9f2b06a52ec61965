import { HostError } from "../../src/errors.js";
import type { Facts } from "../../src/facts/facts.js";
import { hostLabel } from "../../src/ssh/connection.js";
import { type Bag, connectionOf } from "./inputs.js";

/** Throws if a conflicting program runs that `alongside` does not allow. */
export function refuseConflicts(facts: Facts, inputs: Bag): void {
  const allowed = (inputs.alongside ?? []) as string[];
  const program = facts.conflicts().find((name) => !allowed.includes(name));
  if (program === undefined) return;
  throw new HostError(
    hostLabel(connectionOf(inputs)),
    `${program} runs there and manages the IPVS table`,
    `stop it there (systemctl disable --now ${program}), or set alongside: ["${program}"] if it leaves this entry alone`,
  );
}
