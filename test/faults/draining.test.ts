import { faultKinds } from "./kinds.js";
import { booted } from "./machines.js";
import { nothing } from "./pulumi.js";
import { afterDrain, beforeDrain } from "./stacks.js";
import { strike } from "./strike.js";
import { scenario } from "./survive.js";
import { up } from "./update.js";

strike(
  "an update that replaces servers which drain survives that",
  async () => scenario(await up({ images: booted, state: nothing }, await beforeDrain()), await afterDrain()),
  // no two of its lines go in one bulk
  faultKinds.filter(({ title }) => title !== "the kernel refuses one line of many"),
);
