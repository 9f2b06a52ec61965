import { booted } from "./machines.js";
import { nothing } from "./pulumi.js";
import { afterMixed, beforeMixed } from "./stacks.js";
import { strike } from "./strike.js";
import { scenario } from "./survive.js";
import { up } from "./update.js";

strike("an update of a DR stack that changes everything that can change at once survives that", async () =>
  scenario(await up({ images: booted, state: nothing }, await beforeMixed()), await afterMixed()),
);
