// The program of a stack that consists of its file, Pulumi.<stack>.yaml. Pulumi.yaml names it:
// `main: node_modules/pulumi-lvs/clusters.js`, in a checkout `main: clusters.js`.
const { existsSync } = require("node:fs");
const { join } = require("node:path");
const { RunError } = require("@pulumi/pulumi");

// Pulumi prints this error as one line, without a stack.
if (!existsSync(join(__dirname, "dist", "stacks", "index.js")))
  throw new RunError(
    `cannot read the clusters of this stack: pulumi-lvs in ${__dirname} is not built; run \`npm run build\` there`,
  );

module.exports = require("./dist/stacks/index.js");
