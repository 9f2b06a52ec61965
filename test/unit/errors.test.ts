import { expect, test } from "vitest";
import { commandFailure, factFailure } from "../../src/errors.js";

const remedy = /; install ipvsadm there \(Debian, Ubuntu: apt-get install ipvsadm; /;

test("a missing tool is known by the code of `has`, whatever words follow its name", () => {
  const text = "ipvsadm: is not there\n";
  expect(commandFailure("web1", ["ipvsadm", "-C"], 127, text).message).toMatch(remedy);
  expect(factFailure("web1", { shown: "`ipvsadm -Sn`", code: 127, text }).message).toMatch(remedy);
  expect(commandFailure("web1", ["ipvsadm", "-C"], 1, text).message).not.toMatch(remedy);
});

test.each([
  ["dash", "sh: 12: ipvsadm: not found"],
  ["dash, of exec", "sh: 1: exec: ipvsadm: not found"],
  ["bash", "sh: line 3: ipvsadm: command not found"],
  ["BusyBox", "sh: ipvsadm: not found"],
])("a missing tool is told by the words of %s", (_, text) => {
  expect(commandFailure("web1", ["ipvsadm", "-C"], 127, text).message).toMatch(remedy);
});
