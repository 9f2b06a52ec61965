import { HostError } from "../errors.js";
import type { Facts } from "../facts/facts.js";
import { unknownOutcome } from "../values/outcome.js";

/** The steps failed, and undoing them failed, too. The host is in an intermediate state. */
export class RollbackFailedError extends HostError {
  constructor(
    host: string,
    message: string,
    /** The state of the host after the failure. */
    readonly facts: Facts,
  ) {
    super(
      host,
      message,
      "check the host; `pulumi refresh` reads its state, and `pulumi up` continues from there",
      unknownOutcome,
    );
  }
}
