import { isGone } from "../../providers/engine/flags.js";
import { type Bag, connectionOf, hasUnknown, partsOf } from "../../providers/engine/inputs.js";
import type { FindHost } from "../../providers/engine/runner.js";
import { engines, verbsOf } from "../../providers/provider.js";
import { type Entry, titleOf } from "../../rollback/deployment.js";
import { hostLabel } from "../../src/ssh/connection.js";
import { commandOf, isCommand } from "./commands.js";
import type { Line, Undo } from "./lines.js";
import { type Live, liveLook } from "./live.js";
import { LiveHosts } from "./live-hosts.js";
import { PlannedHosts, Planner } from "./planner.js";
import { type Preview, type PreviewStep, unknownIn } from "./preview.js";

/** What `up` does for one resource on its host. */
export interface PlannedChange {
  readonly host: string;
  readonly op: "create" | "update" | "delete";
  /** `RealServer web-web2` */
  readonly resource: string;
  readonly urn: string;
  readonly lines: readonly Line[];
  /** What else is run if the change is undone, such as the servers that a deleted service took along. */
  readonly undo: readonly Undo[];
  /** Seconds that a server drains at most. */
  readonly drains?: number;
  /** Properties that only the update computes. Then the lines are not known before. */
  readonly unknown?: readonly string[];
  /** Why `up` would refuse the change. */
  readonly refused?: string;
  /** True for a probe, which sends requests and changes nothing. */
  readonly probes?: true;
  /** Why facts of the host could not be read. The lines take the host to be as declared. */
  readonly unread?: readonly string[];
  /** What the host has now, and what the change means for connections. Only if the host was read. */
  readonly live?: Live;
}

const unknownHost = "host not known before the update";

const ops: Readonly<Record<string, PlannedChange["op"]>> = {
  create: "create",
  "create-replacement": "create",
  update: "update",
  delete: "delete",
  "delete-replaced": "delete",
};

const kindOf = ({ type }: Entry): string => type.split(":").at(-1) ?? "";
const labelOf = (bag: Bag): string =>
  hasUnknown([bag.connection === undefined, connectionOf(bag)?.host, connectionOf(bag)?.port])
    ? unknownHost
    : hostLabel(connectionOf(bag));

/** Returns the lines that `up` runs for a preview, in their order. It connects to no host. */
export const planOf = (preview: Preview): Promise<PlannedChange[]> => planOn(preview, new PlannedHosts());

/** Works as `planOf`, on hosts as they are. It reads each host once. */
export async function livePlanOf(preview: Preview, find: FindHost): Promise<PlannedChange[]> {
  const hosts = new PlannedHosts();
  await planOn(preview, hosts);
  return planOn(preview, new LiveHosts(find, hosts.requested));
}

async function planOn({ steps, before }: Preview, hosts: PlannedHosts): Promise<PlannedChange[]> {
  const planner = new Planner(hosts);
  const first = planner.engines();
  for (const entry of before) {
    const bag = { ...entry.inputs, ...entry.outputs } as Bag;
    const isThere = !isGone(bag) && !hasUnknown(bag);
    if (isThere) await planner.draft(async () => first.get(kindOf(entry))?.create(bag));
  }
  await hosts.declared();
  const ours = planner.engines();
  for (const { newState, oldState } of steps) {
    const engine = newState && ours.get(kindOf(newState));
    if (!engine || newState.external) continue;
    const [olds, news] = [(oldState?.outputs ?? {}) as Bag, (newState.inputs ?? {}) as Bag];
    engine.declare(olds, news);
    if (oldState) engine.declared.noteKept(news, olds.owner ?? news.owner);
  }
  const deleted = new Set(steps.filter(({ op }) => op === "delete").map(({ urn }) => urn));
  const made = new Map();
  const verbs = new Map([...ours].map(([kind, engine]) => [kind, { engine, ...verbsOf(engine, made) }]));
  const changes: PlannedChange[] = [];
  for (const step of steps) {
    const op = ops[step.op];
    if (!op || isSkipped(step, op, deleted)) continue;
    const entry = (op === "delete" ? step.oldState : step.newState) as Entry;
    const olds = (step.oldState?.outputs ?? step.oldState?.inputs ?? {}) as Bag;
    const inputs = (op === "delete" ? olds : (entry.inputs ?? {})) as Bag;
    const about = { op, resource: titleOf(step.urn), urn: step.urn };
    if (isCommand(entry)) {
      const { host = unknownHost, lines = [], unknown = [] } = commandOf(step.urn, op, inputs) ?? {};
      const more = unknown.length > 0 ? { unknown } : {};
      if (lines.length + unknown.length > 0) changes.push({ host, ...about, lines, undo: [], ...more });
      continue;
    }
    const base = { host: labelOf(inputs), ...about };
    const kind = verbs.get(kindOf(entry));
    if (!kind) {
      if (op !== "delete" && engines.has(kindOf(entry)))
        changes.push({ ...base, lines: [], undo: [], probes: true });
      continue;
    }
    const { definition } = kind.engine;
    const { key, config } = partsOf(definition, inputs);
    const unknown = unknownIn({
      ...key,
      ...config,
      connection: [base.host === unknownHost, inputs.connection],
    });
    if (unknown.length > 0) {
      changes.push({ ...base, lines: [], undo: [], unknown });
      continue;
    }
    const isReplaced = step.op === "delete-replaced";
    const live = liveLook(hosts, { definition, op, isReplaced, host: base.host, inputs, olds });
    const { lines, undo, waits, refused, unread } = await planner.draft(
      () =>
        op === "create"
          ? kind.create(inputs)
          : op === "update"
            ? kind.update(step.oldState?.id ?? "", olds, inputs)
            : kind.delete(step.oldState?.id ?? "", olds),
      live?.secrets,
    );
    const { timeout } = (inputs.drain ?? {}) as { timeout?: number };
    if (!live && lines.length === 0 && refused === undefined) continue;
    changes.push({
      ...base,
      ...{ lines, undo },
      ...(waits && timeout !== undefined ? { drains: timeout } : {}),
      ...(refused === undefined ? {} : { refused }),
      ...(unread.size > 0 ? { unread: [...unread] } : {}),
      ...(live ? { live: live.after(lines.length > 0, waits) } : {}),
    });
  }
  return changes;
}

/** Returns whether Pulumi deletes a resource in its state only. */
const isSkipped = (
  { oldState }: PreviewStep,
  op: PlannedChange["op"],
  deleted: ReadonlySet<string>,
): boolean =>
  op === "delete" &&
  (oldState?.retainOnDelete === true || (oldState?.deletedWith ? deleted.has(oldState.deletedWith) : false));
