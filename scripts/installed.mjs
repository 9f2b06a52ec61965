// Ends with one line where the packages of this checkout are not installed: node scripts/installed.mjs
import { existsSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "./setup/checkout.mjs";

// `typescript` stands for all: the build needs it first.
if (!existsSync(join(checkout, "node_modules", "typescript"))) {
  console.error(`the npm packages of ${checkout} are not installed; run \`npm ci\` there`);
  process.exit(1);
}
