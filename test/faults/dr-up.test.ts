import { faultKinds } from "./harness/kinds.js";
import { booted } from "./harness/machines.js";
import { nothing } from "./harness/pulumi.js";
import { drStack } from "./harness/stacks.js";
import { strike } from "./harness/strike.js";
import { scenario } from "./harness/survive.js";

strike(
  "the first up of a DR stack survives that",
  async () => scenario({ images: booted, state: nothing }, await drStack()),
  faultKinds,
);
