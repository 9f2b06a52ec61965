import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { shellText } from "../../../src/shell/index.js";

// The awk that passes on the lines of a round (src/shell/health/lines.awk).

test("mawk needs at most three writes for a line that it passes on", () => {
  const variables = ["DIR=/checks", "SERIAL=serial", "FORM=%4095s"].flatMap((text) => ["-v", text]);
  const program = ["mawk", "-W", "interactive", ...variables, shellText("health/lines.awk")];
  // The kernel adds the writes of a process to those of its parent, once that has waited for it.
  const script = `"$@" >/dev/null; sed -n 's/^syscw: //p' /proc/$$/io`;
  const writes = execFileSync("sh", ["-c", script, "sh", ...program], {
    input: Array.from({ length: 100 }, (_, n) => `/checks/serial-word-${n}.page0 2003\n`).join(""),
    env: { ...process.env, token: "word" },
    encoding: "utf8",
  });
  expect(Number(writes)).toBeGreaterThan(100);
  expect(Number(writes)).toBeLessThan(300);
});
