import { z } from "zod";
import { step } from "../src/host/step.js";
import { mapOf } from "../src/values/problem.js";
import { ranks } from "../src/values/ranks.js";
import { define } from "./engine/define.js";
import { claimSettings, hasClaim, releaseSettings } from "./engine/settings.js";

/** Arguments of a KernelModule. */
export interface KernelModuleArgs {
  /** Name, such as `ip_vs`, at most 60 characters (modprobe(8)). `-` and `_` are the same. A change replaces. */
  name: string;
  /**
   * Parameters to load it with, as text (modinfo(8) lists them), such as `{ conn_tab_bits: "15" }`. Default
   * `{}`: none.
   */
  options?: Record<string, string> | undefined;
}

const word = /^[A-Za-z0-9_]{1,60}$/;

const key = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,60}$/, "is not a module name such as ip_vs")
    // The kernel names modules with underscores, whatever the name of the file.
    .transform((name) => name.replaceAll("-", "_")),
});

const config = z.strictObject({
  options: mapOf(
    z.string().regex(word, "is not a parameter name"),
    z.string().regex(/^[A-Za-z0-9_,.:/-]{1,200}$/, "is not a parameter value"),
  ).default({}),
});

type Config = z.output<typeof config>;

const claimOf = (name: string) => `module.${name}`;
const parameterOf = (name: string, option: string) => `parameter.${name}.${option}`;

const wordsOf = (options: Config["options"]) =>
  Object.entries(options).map(([option, value]) => `${option}=${value}`);

/** A loaded module and its parameters, as a setting. /sys/module shows both. @internal */
export const kernelModule = define({
  kind: "KernelModule",
  key,
  config,
  rank: ranks.module,
  setting: true,
  conflicts: ({ name }) => name.startsWith("ip_vs"),
  id: ({ name }) => `module/${name}`,
  facts: ({ name }, want) => [
    `module:${name}`,
    `found:${claimOf(name)}`,
    ...Object.keys(want?.options ?? {}).map((option) => `found:${parameterOf(name, option)}` as const),
  ],

  read(facts, { name }, want) {
    const parameters = facts.module(name);
    if (!parameters) return undefined;
    const declared = Object.keys(want?.options ?? {});
    return { options: Object.fromEntries(declared.map((option) => [option, parameters.get(option) ?? ""])) };
  },

  record: ({ name }, { options }) => ["module", name, ...wordsOf(options)],

  plan({ name }, want, have, view) {
    const claim = claimOf(name);
    const options = Object.entries(want?.options ?? have?.options ?? {});
    const words = wordsOf(want?.options ?? have?.options ?? {});
    const setting = (option: string, value?: string) => ({
      claim: parameterOf(name, option),
      file: `/sys/module/${name}/parameters/${option}`,
      value,
      now: view.facts.module(name)?.get(option),
    });
    const settings = options.map(([option, value]) => setting(option, want && value));
    const dropped = Object.keys((view.was as Config | undefined)?.options ?? {})
      .filter((option) => want && !Object.hasOwn(want.options, option))
      .map((option) => setting(option));
    const isClaimed = hasClaim(view, claim);
    if (!want) {
      const release = step(["restore_module", claim, name], ["retake_module", claim, name, ...words]);
      return [...releaseSettings(view, settings), ...(isClaimed ? [release] : [])];
    }
    const claiming = isClaimed ? [] : [step(["claim_module", claim, name], ["restore_module", claim, name])];
    if (!view.facts.module(name)) return [...claiming, step(["modprobe", name, ...words], null)];
    // Another program has loaded it, or an earlier resource: an undo restores its parameters.
    return [
      ...claiming,
      ...releaseSettings(view, dropped),
      ...claimSettings(
        view,
        settings.filter(({ value, now }) => value !== now),
      ),
    ];
  },
});
