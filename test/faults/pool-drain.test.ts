import { faultKinds } from "./harness/kinds.js";
import { booted } from "./harness/machines.js";
import { nothing } from "./harness/pulumi.js";
import { afterPool, beforePool } from "./harness/stacks.js";
import { strike } from "./harness/strike.js";
import { scenario } from "./harness/survive.js";
import { up } from "./harness/update.js";

strike(
  "an update that takes a server which drains out of the pool of two directors survives that",
  async () => scenario(await up({ images: booted, state: nothing }, await beforePool()), await afterPool()),
  // no two of its lines go in one bulk
  faultKinds.filter(({ title }) => title !== "the kernel refuses one line of many"),
  4,
);
