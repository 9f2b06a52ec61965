import { z } from "zod";
import { step } from "../src/step.js";
import { define } from "./define.js";

/** Arguments of a KernelModule. */
export interface KernelModuleArgs {
  /** Name, such as `ip_vs`. A change replaces. */
  name: string;
  /** Parameters to load it with (modinfo(8) lists them), such as `{ conn_tab_bits: "15" }`. Default: none. */
  options?: Record<string, string>;
}

const word = /^[A-Za-z0-9_]{1,60}$/;

const key = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,60}$/, "is no module name such as ip_vs")
    // the kernel knows modules by underscores, whatever their files are called
    .transform((name) => name.replaceAll("-", "_")),
});

const config = z.strictObject({
  options: z
    .record(
      z.string().regex(word, "is no parameter name"),
      z.string().regex(/^[A-Za-z0-9_,.:/-]{1,200}$/, "is no parameter value"),
    )
    .default({}),
});

type Config = z.output<typeof config>;

export const kernelModule = define({
  kind: "KernelModule",
  key,
  config,
  setting: true,
  id: ({ name }) => `module/${name}`,
  facts: ({ name }) => [`module:${name}`],

  read(facts, { name }, want) {
    const parameters = facts.module(name);
    if (!parameters) return undefined;
    const declared = Object.keys(want?.options ?? {});
    return { options: Object.fromEntries(declared.map((option) => [option, parameters.get(option) ?? ""])) };
  },

  plan({ name }, want, have) {
    const claim = ["claim_module", `module.${name}`, name];
    const restore = ["restore_module", `module.${name}`, name];
    if (!want) return [step(restore, null)];
    const options = Object.entries(want.options);
    if (!have)
      return [step(claim, restore), step(["modprobe", name, ...options.map(([k, v]) => `${k}=${v}`)], null)];
    const set = ([option, value]: [string, string], old: Config) =>
      step(
        ["put_parameter", name, option, value],
        ["put_parameter", name, option, old.options[option] ?? ""],
      );
    return options
      .filter(([option, value]) => have.options[option] !== value)
      .map((entry) => set(entry, have));
  },
});
