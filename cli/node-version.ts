// Imported before all else, because other modules may not run on an old Node.
import { oldNode } from "../src/values/node-version.js";

const problem = oldNode();
if (problem !== undefined) {
  console.error(problem);
  process.exit(1);
}
