import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { prelude } from "../../../src/shell/prelude.js";
import { headOf, realHost } from "../../../src/shell/surroundings.js";
import { posixShells, titled } from "../../support/fake/shells.js";

test.each(titled(posixShells))(
  "more lines than a program takes as arguments are removed from the ledger, and no others (%s)",
  (_, [program = "", ...args]) => {
    const folder = mkdtempSync(join(tmpdir(), "lvs-lines-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const gone = Array.from(
      { length: 14_000 },
      (_, n) => `60\tobject\tRealServer ${n}\t${"x".repeat(120)}\t\\n $a`,
    );
    const stay = ["60\tobject\tRealServer 0", "from=gone", "", "60\tobject\tRealServer 1\t"];
    writeFileSync(join(folder, "boot"), [stay[0], ...gone, ...stay.slice(1), ""].join("\n"));
    writeFileSync(join(folder, "gone"), `${gone.join("\n")}\n`);
    const script = `${headOf({ ...realHost, ROOT: folder })}${prelude}
IFS='
'
set -f
set -- $(cat "$ROOT/gone")
unset IFS
cut_lines "$ROOT" boot "$@"
`;
    const { status, stderr } = spawnSync(program, args, { input: script, encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(readFileSync(join(folder, "boot"), "utf8")).toBe(`${stay.join("\n")}\n`);
  },
);
