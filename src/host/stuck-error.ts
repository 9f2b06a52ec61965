import { HostError, unknownOutcome } from "../errors.js";
import type { Facts } from "../facts/facts.js";

/** The steps failed, and taking them back failed too: the host is in between. */
export class StuckError extends HostError {
  constructor(
    host: string,
    message: string,
    /** What the host shows now. */
    readonly facts: Facts,
  ) {
    super(
      host,
      message,
      "look at the host; `pulumi refresh` reads what is there, and `up` goes on from it",
      unknownOutcome,
    );
  }
}
