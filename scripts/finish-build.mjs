// Second half of the build: what the compiler leaves out of dist.
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describeSchema } from "./describe-schema.mjs";
import { typesIn } from "./docs/doc-comments.mts";
import { checkout } from "./setup/checkout.mjs";

const dist = join(checkout, "dist");

// files that run on hosts are no TypeScript
cpSync(join(checkout, "src", "shell"), join(dist, "src", "shell"), {
  recursive: true,
  filter: (path) => !path.endsWith(".ts"),
});
// Editors check a stack's file by this JSON Schema. It comes from the zod schemas that parseClusters uses.
const { stackSchema } = createRequire(import.meta.url)(join(dist, "stacks", "stack-schema.js"));
// A copy, because the generator uses one object in several places.
const schema = JSON.parse(JSON.stringify(stackSchema()));
const fieldsOf = typesIn(checkout);
describeSchema(schema.definitions.clusters, fieldsOf("Clusters"), schema.definitions);
writeFileSync(join(dist, "stack.schema.json"), `${JSON.stringify(schema, null, 2)}\n`);
for (const program of ["cli/main.js", "policy/index.js"]) chmodSync(join(dist, program), 0o755);
// The library of policies reads the version from the folder of the pack.
const { version } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8"));
writeFileSync(
  join(dist, "policy", "package.json"),
  `${JSON.stringify({ name: "pulumi-lvs-policy", version, private: true, main: "index.js" })}\n`,
);
cpSync(join(checkout, "policy", "PulumiPolicy.yaml"), join(dist, "policy", "PulumiPolicy.yaml"));

// npm links the commands of dependencies only, so `npx pulumi-lvs` would not find this package's own in its checkout.
const commands = join(checkout, "node_modules", ".bin");
const link = join(commands, "pulumi-lvs");
const target = join("..", "..", "dist", "cli", "main.js");
const isLink = lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() && readlinkSync(link) === target;
if (existsSync(commands) && !isLink) {
  rmSync(link, { force: true });
  symlinkSync(target, link);
}
