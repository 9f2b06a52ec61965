import { onTestFinished } from "vitest";
import type { Clock } from "../../../providers/engine/clock.js";
import type { Definition } from "../../../providers/engine/define.js";
import { Engine } from "../../../providers/engine/engine.js";
import type { Bag } from "../../../providers/engine/inputs.js";
import { FakeHost } from "./fake-host.js";

export const connection = { host: "director1" };

/** A fake host that goes with the test. */
export function fakeHost(options?: ConstructorParameters<typeof FakeHost>[0]): FakeHost {
  const fake = new FakeHost(options);
  onTestFinished(() => fake.dispose());
  return fake;
}

/** Resources of one kind on a fake host, by their arguments. */
export function resources(definition: Definition, fake: Pick<FakeHost, "host">, clock?: Clock) {
  const engine = new Engine(definition, () => fake.host, clock);
  const inputsOf = (args: Bag, owner = "p/s/one"): Bag => {
    const { inputs, failures } = engine.check({}, { connection, owner, ...args });
    if (failures[0]) throw new Error(`${failures[0].property}: ${failures[0].reason}`);
    return inputs;
  };
  return {
    engine,
    inputsOf,
    create: async (args: Bag, owner?: string): Promise<{ id: string; props: Bag }> => {
      const { id, outs } = await engine.create(inputsOf(args, owner));
      return { id, props: outs };
    },
    update: async (props: Bag, args: Bag): Promise<Bag> =>
      (await engine.update("", props, inputsOf(args, props.owner as string))).outs,
    delete: (props: Bag) => engine.delete("", props),
    read: (props: Bag) => engine.read("", props),
  };
}
