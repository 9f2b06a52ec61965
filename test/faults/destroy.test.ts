import { booted } from "./harness/machines.js";
import { nothing } from "./harness/pulumi.js";
import { drStack } from "./harness/stacks.js";
import { strike } from "./harness/strike.js";
import { scenario } from "./harness/survive.js";
import { up } from "./harness/update.js";

strike("the destroy of a DR stack survives that", async () =>
  scenario(await up({ images: booted, state: nothing }, await drStack()), []),
);
