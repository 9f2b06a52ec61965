import type { Bag, View, Violation } from "./view.js";

/** JSON Schema of a field of a rule's configuration. */
type Field = { readonly type: string; readonly default: unknown; readonly description: string } & Bag;

interface About {
  readonly name: string;
  readonly description: string;
  readonly level: "advisory" | "mandatory" | "disabled";
  readonly severity: "low" | "medium" | "high" | "critical";
}

/** A rule of the pack. Its check is pure. */
export interface Rule extends About {
  readonly fields: Readonly<Record<string, Field>>;
  /** The configuration may lack fields that have a default: all have one. */
  check(view: View, config?: Bag): Violation[];
}

/** Makes a rule. Its check gets a configuration with all defaults. */
export function rule<Config extends object>(
  given: About & {
    readonly fields: { readonly [Name in keyof Config]: Field };
    check(view: View, config: Config): Violation[];
  },
): Rule {
  const fields = given.fields as Readonly<Record<string, Field>>;
  const defaults = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.default]));
  return {
    ...given,
    fields,
    check: (view, config) => given.check(view, { ...defaults, ...config } as Config),
  };
}

/** A field of all rules: what the rule leaves alone. */
export const except = (of: string): Field => ({
  type: "array",
  items: { type: "string" },
  default: [],
  description: `${of} that the rule leaves alone`,
});
