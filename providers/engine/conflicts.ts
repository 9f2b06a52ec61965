import { HostError } from "../../src/errors.js";
import type { Facts } from "../../src/facts/facts.js";
import { hostLabel } from "../../src/ssh/connection.js";
import { type Bag, connectionOf } from "./inputs.js";

/** Throws if a program runs that conflicts over the table or the sync daemons, and `alongside` does not allow it. */
export function refuseConflicts(facts: Facts, inputs: Bag, over: true | "daemons"): void {
  const allowed = (inputs.alongside ?? []) as string[];
  const running = facts
    .conflicts()
    .flatMap((name) => (name !== "daemons" ? [name] : over === "daemons" ? ["keepalived"] : []));
  const program = running.find((name) => !allowed.includes(name));
  if (program === undefined) return;
  throw new HostError(
    hostLabel(connectionOf(inputs)),
    `${program} runs there and manages the ${facts.conflicts().some((name) => name === program) ? "IPVS table" : "sync daemons (lvs_sync_daemon)"}`,
    `stop it there (systemctl disable --now ${program}), or set alongside: ["${program}"] if it leaves this entry alone`,
  );
}
