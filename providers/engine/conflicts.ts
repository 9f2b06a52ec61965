import { HostError } from "../../src/errors.js";
import type { Facts } from "../../src/facts/facts.js";
import { hostLabel } from "../../src/ssh/connection.js";
import { type Bag, connectionOf } from "./inputs.js";

/** Throws if a conflicting program runs that `alongside` does not allow. */
export function refuseConflicts(facts: Facts, inputs: Bag): void {
  const allowed = (inputs.alongside ?? []) as string[];
  const rival = facts.rivals().find((name) => !allowed.includes(name));
  if (rival === undefined) return;
  throw new HostError(
    hostLabel(connectionOf(inputs)),
    `${rival} runs there and manages the IPVS table`,
    `stop it there (systemctl disable --now ${rival}), or set alongside: ["${rival}"] if it leaves this entry alone`,
  );
}
