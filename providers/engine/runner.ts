import { HostError } from "../../src/errors.js";
import type { Host } from "../../src/host/host.js";
import type { Done, Job } from "../../src/host/job.js";
import { type Connection, hostLabel } from "../../src/ssh/connection.js";
import { type Change, noChange, type Operation, type Verb } from "./change.js";
import type { Clock } from "./clock.js";
import type { Definition } from "./define.js";
import { hasRecordState } from "./flags.js";
import { type Bag, connectionOf, idOf, keyOf, partsOf } from "./inputs.js";
import { objectChange } from "./object.js";
import { inputsOfPart } from "./parts.js";
import type { Program } from "./program.js";
import { settingChange } from "./setting.js";

/** Finds the host of a connection. Tests give a fake one. */
export type FindHost = (connection: Connection, label: string) => Pick<Host, "submit" | "query">;

/** Runs operations on resources of one kind. */
export class Runner {
  readonly definition: Definition;
  readonly #findHost: FindHost;
  readonly #clock: Clock;
  readonly #program: Program;

  constructor(definition: Definition, findHost: FindHost, clock: Clock, program: Program) {
    this.definition = definition;
    this.#findHost = findHost;
    this.#clock = clock;
    this.#program = program;
  }

  /** Runs an operation, which its kind may wrap. `make` carries a change out. */
  run<Notes>(
    verb: Verb | "read",
    inputs: Bag,
    olds: Bag | undefined,
    make: (change: Change) => Promise<Done<Notes>>,
  ): Promise<Done<Notes>> {
    const { definition } = this;
    const change = this.#changeOf(inputs);
    if (!definition.around) return make(change);
    const { key, config } = partsOf(definition, inputs);
    const operation: Operation = {
      ...{ verb, key, config, owner: this.owner(inputs), change },
      was: olds && partsOf(definition, olds).config,
      isStale: olds !== undefined && hasRecordState(olds, "stale"),
      facts: [...definition.facts(key, config), ...change.facts],
      host: hostLabel(connectionOf(inputs)),
      clock: this.#clock,
      adopts: inputs.adopt === true,
      resource: String(inputs.owner),
      changeOf: (kind, fields) =>
        objectChange(kind as Definition, inputsOfPart(inputs, fields), this.#program.of(kind as Definition)),
      submit: (job) => this.submit(verb, inputs, job),
      connection: connectionOf(inputs),
      query: (connection, ...queries) => this.#findHost(connection, hostLabel(connection)).query(...queries),
    };
    return definition.around(operation, make);
  }

  /** Runs a job on the host. An error names the verb and the resource. */
  async submit<Notes>(verb: string, inputs: Bag, job: Omit<Job<Notes>, "owner">): Promise<Done<Notes>> {
    const connection = connectionOf(inputs);
    const label = hostLabel(connection);
    try {
      return await this.#findHost(connection, label).submit({ ...job, owner: this.owner(inputs) });
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      throw this.failure(verb, inputs, error);
    }
  }

  /** Returns the error of an operation, with the verb and the resource. */
  failure(verb: string, inputs: Bag, error: HostError): Error {
    return new Error(error.of(`cannot ${verb} ${this.#idWithoutHost(inputs)}`), { cause: error });
  }

  /**
   * Returns the owner of a claim. Another identity is another owner: a replacement claims before a release.
   */
  owner(inputs: Bag): string {
    return `${inputs.owner} ${this.#idWithoutHost(inputs)}`;
  }

  idOf(inputs: Bag): string {
    return idOf(this.definition, inputs);
  }

  #changeOf(inputs: Bag): Change {
    const { definition } = this;
    if (!definition.record) return noChange;
    return definition.setting
      ? settingChange(definition, inputs, this.owner(inputs))
      : objectChange(definition, inputs, this.#program.of(definition));
  }

  #idWithoutHost(inputs: Bag): string {
    return this.definition.id(keyOf(this.definition, inputs));
  }
}
