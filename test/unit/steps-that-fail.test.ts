import { commandFails } from "../faults/kinds.js";
import { booted } from "../faults/machines.js";
import { nothing } from "../faults/pulumi.js";
import { drStack } from "../faults/stacks.js";
import { strike } from "../faults/strike.js";
import { scenario } from "../faults/survive.js";

// one of many kinds, as a first look; the others and more stacks are in test/faults
strike(
  "the first up of a DR stack survives at each of its steps that",
  async () => scenario({ images: booted, state: nothing }, await drStack()),
  [commandFails],
);
