import { faultKinds } from "./harness/kinds.js";
import { booted } from "./harness/machines.js";
import { nothing } from "./harness/pulumi.js";
import { afterPair, beforePair } from "./harness/stacks.js";
import { strike } from "./harness/strike.js";
import { scenario } from "./harness/survive.js";
import { up } from "./harness/update.js";

strike(
  "an update of two directors survives that",
  async () => scenario(await up({ images: booted, state: nothing }, await beforePair()), await afterPair()),
  faultKinds,
  4,
);
