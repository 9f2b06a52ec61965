import fc from "fast-check";
import type { Bag } from "../../../providers/engine/inputs.js";
import { numbered, type TestedKind } from "./kind.js";

export const kernelModule: TestedKind = {
  right: [{ name: "ip_vs", options: { conn_tab_bits: "15" } }],
  laws: {
    together: 1,
    key: fc.constant({ name: "ip_vs" }),
    config: fc.record({ options: fc.record({ conn_tab_bits: fc.constant("12") }, { requiredKeys: [] }) }),
  },
  hostile: {
    count: 4,
    prepare: (fake) => fake.write("modules", Array.from({ length: 10 }, (_, n) => `m_${n} - -\n`).join("")),
    args: (text) =>
      fc.record({
        name: numbered("m-", 10),
        options: fc.dictionary(
          fc.constantFrom("constructor", "toString", "a", "B_9"),
          text(/^[A-Za-z0-9_,.:/-]{1,200}$/),
        ),
      }),
    lines: ({ name, options }) =>
      Object.fromEntries([
        [`sys/module/${name}/refcnt`, "0"],
        ...Object.entries(options as Bag).map(([option, value]) => [
          `sys/module/${name}/parameters/${option}`,
          String(value),
        ]),
      ]),
  },
};
