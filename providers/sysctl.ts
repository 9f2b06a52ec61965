import { z } from "zod";
import { sysctlName, sysctlValue } from "../src/sysctl.js";
import { define } from "./define.js";
import { planSysctls } from "./settings.js";

/** Arguments of a Sysctl. */
export interface SysctlArgs {
  /** Name as sysctl(8) writes it, such as `net.ipv4.vs.expire_nodest_conn`. A change replaces. */
  name: string;
  /** Value, as text; several numbers are parted by blanks. */
  value: string;
}

const key = z.strictObject({ name: sysctlName });
const config = z.strictObject({
  value: z
    .string()
    .min(1)
    .max(1000)
    .regex(/^[\x20-\x7e\t]*$/, "has characters that no sysctl takes")
    .transform(sysctlValue),
});

type Config = z.output<typeof config>;

export const sysctl = define({
  kind: "Sysctl",
  key,
  config,
  setting: true,
  id: ({ name }) => `sysctl/${name}`,
  facts: ({ name }) => [`sysctl:${name}`],
  read(facts, { name }) {
    const value = facts.sysctl(name);
    return value === undefined ? undefined : { value: sysctlValue(value) };
  },
  plan({ name }, want, have) {
    const values = (c: Config | undefined) => c && [[name, c.value] as const];
    return planSysctls(values(want), values(have));
  },
});
