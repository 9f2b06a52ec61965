import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Definition } from "../../../providers/engine/define.js";
import { type Bag, checkInputs } from "../../../providers/engine/inputs.js";
import { recordOf } from "../../../providers/engine/ledger.js";
import { type LedgerRecord, printRecord } from "../../../src/facts/ledger.js";
import { evaluateProgram } from "../../../src/shell/agent.js";
import { shellText } from "../../../src/shell/index.js";
import { checkFormsVariable } from "../../../src/values/health-check.js";
import { ranks } from "../../../src/values/ranks.js";
import { serverNumbersVariable } from "../../../src/values/server-numbers.js";
import { parseService, type ServiceAddress, serviceFlags } from "../../../src/values/service-address.js";
import { definitions } from "../../support/fake/definitions.js";
import { connection } from "../../support/fake/engine.js";
import { awks, type ShellProgram, titled } from "../../support/fake/shells.js";
import { kinds } from "../../support/kinds/index.js";
import type { TestedKind } from "../../support/kinds/kind.js";

/*
 * The restore makes an entry by the words of its record. The agent reads the same words (readers.awk), and makes an
 * entry that was removed by hand. A word that it does not know makes it ignore the record.
 */

/** Runs the planned changes with an ipvsadm that prints its arguments. */
const changes = `${shellText("health/table.sh")}
ipvsadm() { printf '%s\\n' "$*"; }
tab=$(printf '\\t')
while IFS=$tab read -r did phase of verb a b c d; do
  [ "$did" != do ] || { change_table "$verb" "$of" "$a" "$b" "$c" "$d" && printf '%s\\n' "$error"; }
done
`;

/** What the agent says of records, and the commands that it gives on a table that has only these services. */
function agentOn(
  [program = "", ...args]: ShellProgram,
  records: readonly LedgerRecord[],
  services: readonly string[],
) {
  const folder = mkdtempSync(join(tmpdir(), "lvs-records-"));
  const file = (name: string, lines: readonly string[]): string => {
    writeFileSync(join(folder, name), lines.map((line) => `${line}\n`).join(""));
    return join(folder, name);
  };
  const things = records.map(({ thing }) => thing.slice(thing.indexOf(" ") + 1));
  const servers = things.filter((_, i) => records[i]?.thing.startsWith("RealServer "));
  const of = (id: string) => id.slice(0, id.lastIndexOf("/"));
  const monitored = new Set([...things.filter((id) => !servers.includes(id)), ...servers.map(of)]);
  try {
    const output = execFileSync(
      program,
      [
        ...args,
        ...Object.entries({
          SERVICE: ranks.service,
          SERVER: ranks.server,
          ...serverNumbersVariable,
          ...checkFormsVariable,
        }).flatMap(([name, value]) => ["-v", `${name}=${value}`]),
        ...[evaluateProgram, "from=given", "-"],
        ...[
          "from=monitor",
          file(
            "monitor",
            [...monitored].map((id) => `service\t${id}`),
          ),
        ],
        ...["from=record", file("boot", records.map(printRecord))],
        // They have served, so they return without the result of a check.
        "from=kept",
        file(
          "kept",
          servers.map((id) => `kept\tserver\t${of(id)}\t${id.slice(of(id).length + 1)}\t1\t0`),
        ),
      ],
      {
        encoding: "utf8",
        input: [
          "now\t1790000000\t2026-09-21 14:13:20",
          ...services.map((id) => `-A ${serviceFlags(parseService(id) as ServiceAddress).join(" ")} -s wlc`),
          "whole\n",
        ].join("\n"),
      },
    );
    return {
      ignored: output.split("\n").filter((line) => line.startsWith("ignored\t")),
      commands: execFileSync("sh", ["-c", changes], { input: output, encoding: "utf8" })
        .split("\n")
        .filter(Boolean),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The records of a kind: of all that is right, and of generated arguments. Each has a thing of its own. */
function recordsOf(name: string): readonly LedgerRecord[] {
  const { right, laws } = kinds[name] as Required<TestedKind>;
  const generated = fc.sample(fc.record({ key: laws.key, config: laws.config }), 100);
  const definition = definitions.get(name) as Definition;
  const all = [...right, ...generated.map(({ key, config }): Bag => ({ ...key, ...config }))].map((args) => {
    const { inputs, problems } = checkInputs(definition, { connection, owner: "p/s/n", ...args });
    expect(problems).toEqual([]);
    return recordOf(definition, inputs, "p/s/n");
  });
  return [...new Map(all.map((one) => [one.thing, one])).values()];
}

const words = (line: string): string[] => line.split(" ").sort();

describe.each(titled(awks))("by %s", (_, awk) => {
  test("the agent makes each service again by all words of its record", () => {
    const records = recordsOf("virtual-service");
    expect(records.some((one) => one.words.includes("-b"))).toBe(true);
    const { ignored, commands } = agentOn(awk, records, []);
    expect(ignored).toEqual([]);
    expect(commands.map(words)).toEqual(records.map((one) => words(["-A", ...one.words.slice(1)].join(" "))));
  });

  test("the agent adds each real server again by all words of its record", () => {
    const records = recordsOf("real-server");
    const services = new Set(records.map(({ thing }) => thing.slice(11, thing.lastIndexOf("/"))));
    const { ignored, commands } = agentOn(awk, records, [...services]);
    expect(ignored).toEqual([]);
    expect(commands.map(words).sort()).toEqual(
      records.map((one) => words(["-a", ...one.words.slice(1)].join(" "))).sort(),
    );
  });

  test.each(["-b", "-b -C", "-b mh-port;id", "-b MH", "-z 1"])("a service with %s is ignored", (odd) => {
    const [record] = recordsOf("virtual-service");
    const { ignored, commands } = agentOn(
      awk,
      [{ ...(record as LedgerRecord), words: [...(record as LedgerRecord).words, ...odd.split(" ")] }],
      [],
    );
    expect(ignored).toHaveLength(1);
    expect(commands).toEqual([]);
  });
});
