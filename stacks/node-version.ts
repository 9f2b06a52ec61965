// Imported before all else, because other modules may not run on an old Node.
import * as pulumi from "@pulumi/pulumi";
import { oldNode } from "../src/values/node-version.js";

const problem = oldNode();
// Pulumi prints this error as one line, without a stack.
if (problem !== undefined) throw new pulumi.RunError(problem);
