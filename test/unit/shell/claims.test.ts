import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { Definition } from "../../../providers/engine/define.js";
import { recordOf } from "../../../providers/engine/ledger.js";
import { printRecord } from "../../../src/facts/ledger.js";
import { shellText } from "../../../src/shell/index.js";
import { refusals } from "../../../src/shell/refusals.js";
import { definitions } from "../../support/fake/definitions.js";
import { change, goldenFiles, inputsOf, recorder } from "../../support/fake/golden.js";
import { awks, type ShellProgram, titled } from "../../support/fake/shells.js";

/*
 * Whether a setting has another owner is read from the ledger, by the arguments of its records. So each claim that a
 * resource makes must show in its record.
 */

/** Whether another owner claims a setting, by these records. */
const isShared = ([program = "", ...args]: ShellProgram, ledger: string, claim: string, owner: string) => {
  const code = ["-v", `SETTING_CLAIMED=${refusals.settingClaimed}`];
  const { status, stderr } = spawnSync(
    program,
    [...args, ...code, shellText("lib/claims.awk"), "/dev/null", "-"],
    {
      input: `${ledger}\n`,
      encoding: "utf8",
      env: { ...process.env, claim, owner },
    },
  );
  expect([0, refusals.settingClaimed], stderr).toContain(status);
  return status === refusals.settingClaimed;
};

const creations = goldenFiles
  .filter(({ kind }) => definitions.get(kind)?.setting)
  .flatMap(({ kind, cases }) =>
    cases
      .filter(
        ({ run, want, was, error }) => want && !was && !error && run?.some((line) => /^claim_/.test(line)),
      )
      .map((given) => [`${kind}: ${given.title}`, definitions.get(kind) as Definition, given] as const),
  );

describe.each(titled(awks))("by %s", (_, awk) => {
  test.each(creations)("each claim shows in the record of %s", async (_title, definition, given) => {
    const { submit, steps } = recorder(given.host ?? {});
    await change(definition, given, submit);
    const { inputs } = inputsOf(definition, given, given.want ?? {});
    const line = printRecord(recordOf(definition, inputs, "p/s/n x"));
    const claims = steps.flatMap(({ run: [name = "", claim = ""] }) => (/^claim_/.test(name) ? [claim] : []));
    expect(claims).not.toEqual([]);
    for (const claim of claims) {
      expect(isShared(awk, line, claim, "p/s/other"), claim).toBe(true);
      expect(isShared(awk, line, claim, "p/s/n x"), claim).toBe(false);
      expect(isShared(awk, line, `${claim}0`, "p/s/other"), claim).toBe(false);
    }
  });

  test("the record of an object, a line that is none and a record of an older version claim nothing", () => {
    const lines = [
      "50\tobject\tX y\tp/s/n\tsysctl\tnet.ipv4.ip_forward\t1",
      "net.ipv4.ip_forward",
      "30\tsetting\tSysctl x\tp/s/n x\tclaim_file sysctl.net.ipv4.ip_forward /proc/sys/net/ipv4/ip_forward",
      "30\tsetting\tSysctl sysctl/kernel.x\tp/s/n x\tsysctl\tkernel.x\tnet.ipv4.ip_forward",
    ];
    expect(isShared(awk, lines.join("\n"), "sysctl.net.ipv4.ip_forward", "p/s/other")).toBe(false);
  });
});
