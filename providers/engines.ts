import { hostOf } from "../src/host/host.js";
import { Engine } from "./engine/engine.js";
import { ProbeEngine } from "./engine/probe.js";
import type { Verbs } from "./engine/verbs.js";
import * as classes from "./index.js";

/** The verbs of each kind of resource, by its name. */
export const engines: ReadonlyMap<string, Verbs> = new Map(
  Object.values(classes).map(({ definition }) => [
    definition.kind,
    new (definition.probe ? ProbeEngine : Engine)(definition, hostOf),
  ]),
);
