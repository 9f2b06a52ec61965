import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { evaluateProgram, linesProgram, planProgram, resultsProgram } from "../../../src/shell/agent.js";
import { shellText } from "../../../src/shell/index.js";
import { restoreTurns } from "../../../src/shell/restore.js";
import { straying } from "../../support/fake/paths.js";
import { allPresent, posixShells } from "../../support/fake/shells.js";
import { findProgram } from "../../support/fake/tree.js";

const folder = join(__dirname, "../../../src/shell");
const files = (pattern: string): string[] => globSync(pattern, { cwd: folder }).sort();
const scripts = files("**/*.sh");
/** Functions of tests that run in the place of some of these. */
const ofTests = join(__dirname, "../../support/fake/faults.sh");

const printed = (program: string, args: readonly string[]): string => {
  const { error, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: "utf8" });
  if (error) throw error;
  return stdout + stderr;
};

describe("the text that runs on hosts", () => {
  test.each(allPresent(posixShells))("is read by %s %s without a complaint", (program, ...args) => {
    expect(scripts.length).toBeGreaterThan(10);
    for (const script of scripts) expect(printed(program, [...args, "-n", script]), script).toBe("");
  });

  test("in awk is read by mawk and gawk without a complaint", () => {
    const programs = [
      evaluateProgram,
      planProgram,
      linesProgram,
      resultsProgram,
      restoreTurns,
      shellText("lib/claims.awk"),
    ];
    const others = files("**/*.awk").filter(
      (file) => !programs.some((text) => text.includes(shellText(file))),
    );
    expect(others).toEqual([]);
    for (const program of programs) {
      // This finds functions that are missing, too.
      expect(spawnSync("mawk", ["-W", "dump", program], { encoding: "utf8" })).toMatchObject({
        status: 0,
        stderr: "",
      });
      expect(printed("gawk", ["--posix", "-o/dev/null", program])).toBe("");
    }
  });

  for (const [program, ...args] of [
    ["perl", "-wc", "lib/advertise.pl"],
    ["python3", "-c", "compile(open('lib/advertise.py').read(), 'advertise.py', 'exec')"],
  ] as const)
    test.skipIf(!findProgram(program))(`is read by ${program} without a complaint`, () => {
      expect(printed(program, args)).toMatch(/^$|^\S+ syntax OK\n$/);
    });

  test.skipIf(!findProgram("systemd-analyze"))("is a unit that systemd reads without a complaint", () => {
    const units = files("**/*.service");
    expect(units.length).toBeGreaterThan(1);
    // It reads units of this machine along.
    for (const unit of units)
      expect(printed("systemd-analyze", ["verify", join(folder, unit)])).not.toMatch(/pulumi-lvs/);
  });

  test("has no finding of shellcheck", () => {
    expect(printed("shellcheck", ["-s", "sh", "-f", "gcc", ...scripts, ofTests])).toBe("");
  });

  test("is as shfmt formats it", () => {
    expect(printed("shfmt", ["-d", ...scripts, ofTests])).toBe("");
  });

  test("names no path that $ROOT does not stand before, so that no script of a test touches its machine", () => {
    const named = files("**/*.{sh,awk,pl,py}").flatMap((file) =>
      straying(readFileSync(join(folder, file), "utf8")).map((path) => `${file}: ${path}`),
    );
    expect(named).toEqual([]);
    // the test sees them, in quotes and without
    expect(
      straying('cat "/proc/sys/x" /run/pulumi-lvs; f=/etc/x; cat "$ROOT"/etc/y $ROOT/etc/z >/dev/null'),
    ).toEqual(["/proc/sys/x", "/run/pulumi-lvs", "/etc/x"]);
  });

  test("has no file above 220 lines", () => {
    const linesOf = (file: string) => readFileSync(join(folder, file), "utf8").split("\n").length - 1;
    expect(files("**/*.{sh,awk,service,pl,py}").filter((file) => linesOf(file) > 220)).toEqual([]);
  });

  test("has no line above 120 columns", () => {
    const long = files("**/*.{sh,awk,service,pl,py}").flatMap((file) =>
      readFileSync(join(folder, file), "utf8")
        .split("\n")
        .flatMap((line, i) => (line.length > 120 ? [`${file}:${i + 1}`] : [])),
    );
    expect(long).toEqual([]);
  });
});
