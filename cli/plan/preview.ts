import type { automation } from "@pulumi/pulumi";
import { hasUnknown } from "../../providers/engine/inputs.js";
import { type Entry, isOurs } from "../../rollback/deployment.js";
import { exported, PulumiError, pulumi } from "../../rollback/pulumi-cli.js";

type Bag = Record<string, unknown>;

/** A step of a preview, in the engine's order. */
export interface PreviewStep {
  readonly op: string;
  readonly urn: string;
  readonly oldState?: Entry;
  readonly newState?: Entry;
}

/** What a preview found, and the state that it began with. */
export interface Preview {
  readonly steps: readonly PreviewStep[];
  /** Resources of this package in the state, each after those that it depends on. */
  readonly before: readonly Entry[];
}

const secretMark = "4dabf18193072939515e22adb298388d";

/** Returns a value of the state with a word in place of each secret, as the preview has it. */
const masked = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== "object" || value === null) return value;
  if (secretMark in value) return "[secret]";
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, masked(part)]));
};

const known = (entry: Entry): Entry => ({
  ...entry,
  ...(entry.inputs ? { inputs: masked(entry.inputs) as Bag } : {}),
  ...(entry.outputs ? { outputs: masked(entry.outputs) as Bag } : {}),
});

interface Printed {
  readonly steps?: readonly PreviewStep[];
  readonly diagnostics?: readonly { readonly message: string; readonly severity: string }[];
}

/** Runs `pulumi preview`. It connects to no host, and neither does the rest of a plan. */
export async function previewOf(stack: automation.Stack, configFile: string | undefined): Promise<Preview> {
  const flags = ["--json", "--stack", stack.name, ...(configFile ? ["--config-file", configFile] : [])];
  const [{ code, stdout, stderr }, { deployment }] = await Promise.all([
    pulumi(stack.workspace, ["preview", ...flags]),
    exported(stack),
  ]);
  const printed = parsed(stdout);
  if (code !== 0 || !printed?.steps) throw new PulumiError(code || 1, whyNot(printed, stderr || stdout));
  const ours = printed.steps.filter((step) => isOurs((step.newState ?? step.oldState) as Entry));
  return {
    steps: ours.map(({ op, urn, oldState, newState }) => ({
      ...{ op, urn },
      ...(oldState ? { oldState: known(oldState) } : {}),
      ...(newState ? { newState: known(newState) } : {}),
    })),
    before: (deployment.resources ?? []).filter((entry) => isOurs(entry) && !entry.external).map(known),
  };
}

function parsed(text: string): Printed | undefined {
  try {
    return JSON.parse(text) as Printed;
  } catch {
    return undefined;
  }
}

function whyNot(printed: Printed | undefined, text: string): string {
  const errors = (printed?.diagnostics ?? []).filter(({ severity }) => severity === "error");
  const messages = errors.map(({ message }) => message.replace(/<\{%.*?%\}>/g, "").trim());
  return `the preview failed: ${messages.join("; ") || text.trim().replace(/^error: /, "")}`;
}

/** Returns the names of properties whose values the preview does not know. */
export const unknownIn = (inputs: Bag): string[] =>
  Object.keys(inputs).filter((name) => hasUnknown(inputs[name]));
