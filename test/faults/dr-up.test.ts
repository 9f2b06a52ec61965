import { commandFails, faultKinds } from "./kinds.js";
import { booted } from "./machines.js";
import { nothing } from "./pulumi.js";
import { drStack } from "./stacks.js";
import { strike } from "./strike.js";
import { scenario } from "./survive.js";

strike(
  "the first up of a DR stack survives that",
  async () => scenario({ images: booted, state: nothing }, await drStack()),
  // test/unit/steps-that-fail.test.ts has it
  faultKinds.filter((kind) => kind !== commandFails),
);
