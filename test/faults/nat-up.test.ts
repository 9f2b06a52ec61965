import { booted } from "./machines.js";
import { nothing } from "./pulumi.js";
import { natStack } from "./stacks.js";
import { strike } from "./strike.js";
import { scenario } from "./survive.js";

strike("the first up of a NAT stack survives that", async () =>
  scenario({ images: booted, state: nothing }, await natStack()),
);
