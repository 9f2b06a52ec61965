import { booted } from "./machines.js";
import { nothing } from "./pulumi.js";
import { drStack } from "./stacks.js";
import { strike } from "./strike.js";
import { scenario } from "./survive.js";
import { up } from "./update.js";

strike("the destroy of a DR stack survives that", async () =>
  scenario(await up({ images: booted, state: nothing }, await drStack()), []),
);
