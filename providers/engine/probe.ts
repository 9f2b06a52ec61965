import { isDeepStrictEqual } from "node:util";
import { HostError } from "../../src/errors.js";
import type { Host } from "../../src/host/host.js";
import { type Connection, hostLabel } from "../../src/ssh/connection.js";
import type { Definition } from "./define.js";
import { type Bag, clean, connectionOf, partsOf } from "./inputs.js";
import { Verbs } from "./verbs.js";

/**
 * The verbs of probes, which have nothing on a host. Create and a change run the probe, and a wrong
 * answer fails the update. Read and delete run nothing.
 */
export class ProbeEngine extends Verbs {
  readonly #findHost: (connection: Connection, label: string) => Pick<Host, "query">;

  constructor(
    definition: Definition,
    findHost: (connection: Connection, label: string) => Pick<Host, "query">,
  ) {
    super(definition);
    this.#findHost = findHost;
  }

  async create(inputs: Bag) {
    await this.#probe(inputs);
    return { id: this.idOf(inputs), outs: clean(inputs) };
  }

  async update(_id: string, olds: Bag, news: Bag) {
    const [was, want] = [olds, news].map((bag) => clean(partsOf(this.definition, bag).config));
    // Another connection to the same host changes nothing about the probe.
    if (!isDeepStrictEqual(was, want)) await this.#probe(news);
    return { outs: clean({ ...news, owner: olds.owner ?? news.owner }) };
  }

  async read(id: string, props: Bag) {
    return { id, props, inputs: props };
  }

  async delete() {}

  /** Two resources may run the same probe. */
  override thing(inputs: Bag): string {
    return this.owner(inputs);
  }

  async #probe(inputs: Bag): Promise<void> {
    const { key, config } = partsOf(this.definition, inputs);
    try {
      await this.definition.probe?.(key, config, {
        connection: connectionOf(inputs),
        query: (connection, ...queries) =>
          this.#findHost(connection, hostLabel(connection)).query(...queries),
      });
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      throw new Error(error.of(`${this.idWithoutHost(inputs)} failed`), { cause: error });
    }
  }
}
