// npm run docs: writes the generated parts of docs anew, from the build.
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { generatedPages, type Kind } from "./pages.mts";

const checkout = join(import.meta.dirname, "../..");
const load = createRequire(import.meta.url);
const built = (path: string) => load(join(checkout, "dist", path));
const classes = Object.values<{ definition: Kind }>(built("providers/index.js"));

const pages = generatedPages(checkout, {
  kinds: classes.map(({ definition }) => definition),
  common: built("providers/engine/inputs.js").common,
  sharing: built("providers/engine/inputs.js").sharing,
  connection: built("src/ssh/connection.js").connection,
  clusters: built("stacks/cluster/schema.js").clusters,
});
for (const [page, text] of pages) writeFileSync(join(checkout, page), text);
console.log(`written: ${[...pages.keys()].join(", ")}`);
