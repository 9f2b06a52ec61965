import type { automation } from "@pulumi/pulumi";
import type { Bag } from "../providers/engine/inputs.js";
import { isAnswer, isUncertain } from "../src/values/outcome.js";
import { isOurs, titleOf } from "./deployment.js";

/** A change of a resource that failed, or whose result is missing. */
export interface FailedChange {
  readonly urn: string;
  readonly op: string;
  /** The provider's message, or empty if there is none. */
  readonly message: string;
  /** Whether the host may have the change in spite of the failure. */
  readonly uncertain: boolean;
  /** The inputs of a creation without an answer, of which Pulumi keeps nothing. Secrets are masked. */
  readonly inputs?: Readonly<Record<string, unknown>>;
}

/** A change of one resource. */
export interface Change {
  readonly urn: string;
  readonly op: string;
}

const readOnly = new Set([
  "same",
  "read",
  "refresh",
  "read-discard",
  "remove-pending-replace",
  "discard-replaced",
]);
/**
 * `status` of a failure that may be no answer of the provider: its process has died, or was cancelled. Its own errors
 * have 1 or 2, but those of a creation have 0, too, and are known by their token.
 */
const noAnswer = 0;
// A replacement is announced with these, and then consists of two other operations.
const announced = new Set(["replace", "read-replacement"]);
const replacing = new Set(["create-replacement", "delete-replaced"]);

/** Returns the first operation of each resource and kind of change. A replacement counts as one. */
function once<Operation extends Change>(operations: readonly Operation[]): Operation[] {
  const named = operations.map((one) => (replacing.has(one.op) ? { ...one, op: "replace" } : one));
  return [...new Map(named.toReversed().map((one) => [`${one.op} ${one.urn}`, one])).values()].toReversed();
}

/**
 * Follows an update by the engine's events: which operations on this package's resources began, succeeded and
 * failed.
 */
export class UpdateEvents {
  readonly #open = new Map<string, Change>();
  readonly #failed: (Change & { readonly isAnswered: boolean; readonly inputs?: Bag })[] = [];
  readonly #succeeded: Change[] = [];
  readonly #messages = new Map<string, string>();

  add(event: automation.EngineEvent): void {
    const { resourcePreEvent: begun, resOutputsEvent: ended, resOpFailedEvent: failed } = event;
    const { diagnosticEvent: diagnostic } = event;
    if (diagnostic?.severity === "error" && diagnostic.urn)
      this.#keepMessage(diagnostic.urn, diagnostic.message);
    const about = (begun ?? ended ?? failed) as
      | { metadata: automation.StepEventMetadata; planning?: boolean }
      | undefined;
    if (!about || about.planning || !isOurs(about.metadata)) return;
    const { urn, op } = about.metadata;
    if (readOnly.has(op) || announced.has(op)) return;
    const key = `${op} ${urn}`;
    if (begun) this.#open.set(key, { urn, op });
    else this.#open.delete(key);
    if (ended) this.#succeeded.push({ urn, op });
    if (failed)
      this.#failed.push({
        ...{ urn, op, isAnswered: failed.status !== noAnswer },
        ...(op.startsWith("create") && { inputs: about.metadata.new?.inputs ?? {} }),
      });
  }

  /** Returns whether any operation on this package's resources began. */
  get begun(): boolean {
    return this.#open.size + this.#failed.length + this.#succeeded.length > 0;
  }

  /** Returns what was changed. */
  get changes(): Change[] {
    return once(this.#succeeded);
  }

  get failures(): FailedChange[] {
    const all = [
      ...this.#failed.map(({ isAnswered, inputs, ...step }) => {
        const message = this.#messages.get(step.urn) ?? "";
        const isLost = !isAnswered && !(inputs && isAnswer(message));
        return {
          ...{ ...step, message, uncertain: isLost || isUncertain(message) },
          ...(isLost && inputs && { inputs }),
        };
      }),
      ...[...this.#open.values()].map((step) => ({ ...step, message: "", uncertain: true })),
    ];
    const isUncertainNow = (urn: string) => all.some((one) => one.urn === urn && one.uncertain);
    return once(all).map((one) => ({ ...one, uncertain: isUncertainNow(one.urn) }));
  }

  /** Returns the provider's message about a resource. */
  messageOf(urn: string): string | undefined {
    return this.#messages.get(urn);
  }

  #keepMessage(urn: string, message: string): void {
    // Without colours and the engine's own heading.
    const plain = message
      .replace(/<\{%.*?%\}>/g, "")
      .replace(/\s+/g, " ")
      .trim();
    this.#messages.set(urn, this.#messages.get(urn) ?? plain);
  }
}

/** Returns `RealServer web-rs1: cannot update …`. */
export const describeFailure = ({ urn, op, message }: FailedChange): string =>
  `${titleOf(urn)}: ${message || `no result of its ${op} was reported`}`;
