import { hostOf } from "../src/host/host.js";
import { Engine } from "./engine/engine.js";
import { Program } from "./engine/program.js";
import * as classes from "./index.js";

const program = new Program();

/** The engine of each kind of resource, by its name. */
export const engines: ReadonlyMap<string, Engine> = new Map(
  Object.values(classes).map(({ definition }) => [
    definition.kind,
    new Engine(definition, hostOf, undefined, program),
  ]),
);
