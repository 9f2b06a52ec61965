import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { commandFailure, factFailure } from "../../src/errors.js";
import { prelude } from "../../src/shell/prelude.js";
import { refusals } from "../../src/shell/refusals.js";
import { headOf, realHost } from "../../src/shell/surroundings.js";
import { allPresent, posixShells } from "../support/fake/shells.js";

const remedy = /; install ipvsadm there \(Debian, Ubuntu: apt-get install ipvsadm; /;

test.each(allPresent(posixShells).map((shell) => [shell.join(" "), shell] as const))(
  "a missing tool is known by the token of `has`, and the message has no token (%s)",
  (_, [program = "", ...args]) => {
    const run = (before: string) => {
      const script = `${headOf({ ...realHost, PATH: "/nowhere" })}${prelude}${before}has ipvsadm`;
      const { status, stderr } = spawnSync(program, args, { input: script, encoding: "utf8" });
      expect(status).toBe(refusals.noTool);
      return stderr;
    };
    expect(run("N=; ")).toBe("ipvsadm: not found\n");
    const text = run("N=nonce; ");
    for (const failure of [
      commandFailure("web1", ["ipvsadm", "-C"], refusals.noTool, text),
      factFailure("web1", { shown: "`ipvsadm -Sn`", code: refusals.noTool, text }),
    ])
      expect(failure.message).toMatch(/: ipvsadm: not found; install ipvsadm there \(/);
    const words = "ipvsadm: is not there\n";
    expect(commandFailure("web1", ["ipvsadm", "-C"], refusals.noTool, words).message).not.toMatch(remedy);
  },
);

test.each([
  ["dash", "sh: 12: ipvsadm: not found"],
  ["dash, of exec", "sh: 1: exec: ipvsadm: not found"],
  ["bash", "sh: line 3: ipvsadm: command not found"],
  ["BusyBox", "sh: ipvsadm: not found"],
])("a missing tool is told by the words of %s", (_, text) => {
  expect(commandFailure("web1", ["ipvsadm", "-C"], 127, text).message).toMatch(remedy);
});
