// Second half of the build: what the compiler leaves out of dist.
import { chmodSync, cpSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "./setup/checkout.mjs";

const dist = join(checkout, "dist");

// files that run on hosts are no TypeScript
cpSync(join(checkout, "src", "shell"), join(dist, "src", "shell"), {
  recursive: true,
  filter: (path) => !path.endsWith(".ts"),
});
chmodSync(join(dist, "cli", "main.js"), 0o755);
