import { Declarations } from "./declarations.js";
import type { Definition } from "./define.js";
import { diff } from "./diff.js";
import { failuresOf } from "./failures.js";
import { type Bag, checkInputs, idOf, isShared, partsOf } from "./inputs.js";

/** What Pulumi calls for a kind of resource. Check and diff are alike for all kinds. */
export abstract class Verbs {
  readonly definition: Definition;
  readonly declared: Declarations;

  constructor(definition: Definition) {
    this.definition = definition;
    this.declared = new Declarations(definition);
  }

  check(_olds: Bag, news: Bag) {
    const { inputs, problems } = checkInputs(this.definition, news);
    return {
      inputs: { ...inputs, ...(news.__provider === undefined ? {} : { __provider: news.__provider }) },
      failures: failuresOf(problems, news),
    };
  }

  diff(_id: string, olds: Bag, news: Bag) {
    return diff(this.definition, olds, news);
  }

  abstract create(inputs: Bag): Promise<{ id: string; outs: Bag }>;
  abstract read(id: string, props: Bag): Promise<{ id?: string; props?: Bag; inputs?: Bag }>;
  abstract update(id: string, olds: Bag, news: Bag): Promise<{ outs: Bag }>;
  abstract delete(id: string, props: Bag): Promise<void>;

  /**
   * Returns a thing's name. After a create under it in this run, an older resource must not delete it. Claims of
   * several owners are different things.
   */
  thing(inputs: Bag): string {
    return this.definition.setting || isShared(inputs) ? this.owner(inputs) : this.idOf(inputs);
  }

  /**
   * Returns the owner of a claim. Another identity is another owner: a replacement claims before a release.
   */
  owner(inputs: Bag): string {
    return `${inputs.owner} ${this.idWithoutHost(inputs)}`;
  }

  protected idOf(inputs: Bag): string {
    return idOf(this.definition, inputs);
  }

  protected idWithoutHost(inputs: Bag): string {
    return this.definition.id(partsOf(this.definition, inputs).key);
  }
}
