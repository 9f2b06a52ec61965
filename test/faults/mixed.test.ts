import { booted } from "./harness/machines.js";
import { nothing } from "./harness/pulumi.js";
import { afterMixed, beforeMixed } from "./harness/stacks.js";
import { strike } from "./harness/strike.js";
import { scenario } from "./harness/survive.js";
import { up } from "./harness/update.js";

strike("an update of a DR stack that changes everything that can change at once survives that", async () =>
  scenario(await up({ images: booted, state: nothing }, await beforeMixed()), await afterMixed()),
);
