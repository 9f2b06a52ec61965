import type { automation } from "@pulumi/pulumi";
import { hasUnknown } from "../../providers/engine/inputs.js";
import { type Entry, isOurCluster, isOurs } from "../../rollback/deployment.js";
import { exported, PulumiError, pulumi } from "../../rollback/pulumi-cli.js";
import { withSecrets } from "../../rollback/secrets.js";
import { listening } from "../listen.js";
import { isCommand } from "./commands.js";

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
  /** Those of this package, and of commands on hosts. */
  readonly steps: readonly PreviewStep[];
  /** Resources of this package in the state, each after those that it depends on. */
  readonly before: readonly Entry[];
}

/** A preview with the clusters of the program. */
export interface ClustersPreview extends Preview {
  /** Outputs of the clusters by URN: those of the program, else those of the state. */
  readonly clusters: ReadonlyMap<string, Bag>;
}

/** Returns a value of the state with a word in place of each secret, as the preview has it. */
const masked = (value: unknown): unknown => withSecrets(value, () => "[secret]");

/** Returns whether a value of a preview has a masked secret. */
export const hasMask = (value: unknown): boolean => JSON.stringify(value).includes('"[secret]"');

const known = (entry: Entry): Entry => ({
  ...entry,
  ...(entry.inputs ? { inputs: masked(entry.inputs) as Bag } : {}),
  ...(entry.outputs ? { outputs: masked(entry.outputs) as Bag } : {}),
});

/**
 * Runs `pulumi preview`. It connects to no host. `savePlan` is the file for Pulumi's own plan, whose secrets are
 * encrypted.
 */
export async function previewOf(
  stack: automation.Stack,
  {
    configFile,
    savePlan,
    flags: given = [],
  }: { configFile?: string | undefined; savePlan?: string | undefined; flags?: readonly string[] },
): Promise<ClustersPreview> {
  const found: automation.StepEventMetadata[] = [];
  const errors: string[] = [];
  const declared = new Map<string, Bag>();
  const { args, env, close } = await listening(stack, (event) => {
    const { resourcePreEvent, resOutputsEvent, diagnosticEvent } = event;
    const made = resOutputsEvent?.metadata;
    if (made && isOurCluster(made)) declared.set(made.urn, (made.new?.outputs ?? {}) as Bag);
    const about = resourcePreEvent?.metadata;
    if (about && (isOurs(about) || isCommand(about))) found.push(about);
    if (diagnosticEvent?.severity === "error" && !/^preview failed\s*$/.test(plain(diagnosticEvent.message)))
      errors.push(plain(diagnosticEvent.message));
  });
  const flags = [
    ...["--stack", stack.name],
    ...(configFile ? ["--config-file", configFile] : []),
    ...(savePlan ? ["--save-plan", savePlan] : []),
    ...given,
  ];
  const [{ code, stderr, stdout }, { deployment }] = await Promise.all([
    pulumi(stack.workspace, ["preview", ...args, ...flags], { env }).finally(close),
    exported(stack),
  ]);
  if (code !== 0)
    throw new PulumiError(code, `cannot preview the update: ${errors.join("; ") || plain(stderr || stdout)}`);
  const { resources = [] } = deployment;
  const before = resources.filter((entry) => isOurs(entry) && !entry.external);
  const options = new Map(resources.map((entry) => [entry.urn, entry]));
  return {
    steps: found.map((step) => stepOf(step, options.get(step.urn))),
    before: before.map(known),
    clusters: new Map([
      ...resources.filter(isOurCluster).map(({ urn, outputs = {} }) => [urn, outputs] as const),
      ...declared,
    ]),
  };
}

/** Events have no options of a resource. The state has those by which Pulumi deletes it. */
function stepOf({ op, urn, type, old, new: news }: automation.StepEventMetadata, entry?: Entry): PreviewStep {
  const { deletedWith, retainOnDelete } = entry ?? {};
  const options = { ...(deletedWith ? { deletedWith } : {}), ...(retainOnDelete ? { retainOnDelete } : {}) };
  const state = (of: automation.StepEventStateMetadata): Entry =>
    known({
      ...{ urn, type, id: of.id, inputs: of.inputs as Bag, outputs: of.outputs as Bag },
      ...(of.parent ? { parent: of.parent } : {}),
    });
  return {
    ...{ op, urn },
    ...(old ? { oldState: { ...state(old), ...options } } : {}),
    ...(news ? { newState: state(news) } : {}),
  };
}

const plain = (message: string): string =>
  message
    .replaceAll(/<\{%.*?%\}>/g, "")
    .replace(/^error: /, "")
    .trim();

/** Returns the names of properties whose values the preview does not know. */
export const unknownIn = (inputs: Bag): string[] =>
  Object.keys(inputs).filter((name) => hasUnknown(inputs[name]));
