import { contradictions } from "./contradictions.js";
import { directorRules } from "./directors.js";
import { duplicates } from "./duplicates.js";
import { names } from "./names.js";
import { resourceRules } from "./resources.js";
import type { Rule } from "./rule.js";

/** The rules of one cluster, in the order of their messages. @internal */
export const clusterRules: readonly Rule[] = [
  ...duplicates,
  ...names,
  ...contradictions,
  ...directorRules,
  ...resourceRules,
];
