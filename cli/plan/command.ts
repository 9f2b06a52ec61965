import { resolve } from "node:path";
import { stackAt } from "../project.js";
import { planOf } from "./plan.js";
import { previewOf } from "./preview.js";
import { asJson, asMarkdown, asText } from "./text.js";

/** Options of `pulumi-lvs plan`. */
export interface PlanOptions {
  readonly stack?: string;
  readonly cwd?: string;
  readonly configFile?: string;
  readonly format: "text" | "json" | "markdown";
}

const formats = { text: asText, json: asJson, markdown: asMarkdown } as const;

/** Prints the plan of a stack. Returns 1 if `up` would refuse a change. */
export async function plan(options: PlanOptions, print: (text: string) => Promise<void>): Promise<number> {
  const { stack: name, cwd = ".", configFile, format } = options;
  const stack = await stackAt(cwd, name);
  const changes = await planOf(await previewOf(stack, configFile && resolve(cwd, configFile)));
  await print(formats[format](changes));
  return changes.some(({ refused }) => refused !== undefined) ? 1 : 0;
}
