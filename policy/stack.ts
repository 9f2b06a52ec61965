import type { PolicyResource } from "@pulumi/policy";
import { type Bag, kindOf, type Seen } from "./view.js";

/** Copies a value. A part that the preview does not know throws when it is read, and is left out. */
function known(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const parts = Object.keys(value).flatMap((name) => {
    try {
      return [[name, known((value as Bag)[name])] as const];
    } catch {
      return [];
    }
  });
  return Array.isArray(value) ? parts.map(([, part]) => part) : Object.fromEntries(parts);
}

interface Node {
  readonly urn: string;
  readonly dependencies: readonly string[];
}

/** Returns all that a resource depends on, also through others. */
function reachable(urn: string, nodes: ReadonlyMap<string, Node>, into = new Set<string>()): Set<string> {
  for (const next of nodes.get(urn)?.dependencies ?? []) {
    if (into.has(next)) continue;
    into.add(next);
    reachable(next, nodes, into);
  }
  return into;
}

/** Returns this package's resources of a preview, an update or an analysed state. */
export function seenOf(resources: readonly PolicyResource[]): Seen[] {
  const nodes = new Map<string, Node>(
    resources.map(({ urn, dependencies }) => [
      urn,
      { urn, dependencies: dependencies.map((one) => one.urn) },
    ]),
  );
  return resources.flatMap(({ type, name, urn, props, opts, parent }) => {
    const kind = kindOf(type);
    if (kind === undefined) return [];
    const needs = reachable(urn, nodes);
    const isProtected = opts.protect === true;
    const own = { kind, name, urn, props: known(props) as Bag, isProtected, needs };
    const { localnodes } = known(parent?.props ?? {}) as { localnodes?: unknown };
    const all: readonly unknown[] = Array.isArray(localnodes) ? localnodes : [];
    const isLocalnode = kind === "RealServer" && all.includes(own.props.address);
    return [{ ...own, isLocalnode, ...(kind === "VirtualService" ? { localnodes: all } : {}) }];
  });
}

interface StateEntry {
  readonly urn: string;
  readonly type: string;
  readonly inputs?: Bag;
  readonly outputs?: Bag;
  readonly protect?: boolean;
  readonly delete?: boolean;
  readonly dependencies?: readonly string[];
}

/** Returns this package's resources of a state that `pulumi stack export` wrote. */
export function seenIn(state: string): Seen[] {
  const { deployment } = JSON.parse(state) as { deployment?: { resources?: StateEntry[] } };
  const entries = (deployment?.resources ?? []).filter((entry) => !entry.delete);
  const nodes = new Map<string, Node>(
    entries.map(({ urn, dependencies = [] }) => [urn, { urn, dependencies }]),
  );
  return entries.flatMap(({ urn, type, inputs, outputs, protect }) => {
    const kind = kindOf(type);
    if (kind === undefined) return [];
    const needs = reachable(urn, nodes);
    const name = urn.slice(urn.lastIndexOf("::") + 2);
    return [{ kind, name, urn, props: { ...inputs, ...outputs }, isProtected: protect === true, needs }];
  });
}
