import type { Definition } from "../providers/engine/define.js";
import * as classes from "../providers/index.js";
import type { Entry } from "./deployment.js";

const typesOf = (is: (definition: Definition) => boolean): ReadonlySet<string> =>
  new Set(
    Object.values(classes)
      .filter(({ definition }) => is(definition))
      .map(({ definition }) => `pulumi-nodejs:dynamic/lvs:${definition.kind}`),
  );

const settings = typesOf(({ setting }) => setting === true);
const recorded = typesOf(({ record }) => record !== undefined);

/** Returns whether a resource is a setting, whose host keeps claims. */
export const isSetting = ({ type }: Entry): boolean => settings.has(type);

/**
 * Returns whether a host has something of a resource, by which its id is that of one thing. Of probes it has nothing, and
 * those of several clusters have the same id.
 */
export const isOnHost = ({ type }: Entry): boolean => recorded.has(type);
