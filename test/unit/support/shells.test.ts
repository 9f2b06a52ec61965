import { expect, test } from "vitest";
import { allPresent, awks, posixShells } from "../../support/fake/shells.js";

test("tests over shells run in all four of them", () => {
  expect(posixShells.map(([program]) => program)).toEqual(["sh", "dash", "bash", "busybox"]);
  expect(allPresent(posixShells)).toBe(posixShells);
});

test("tests over awks run in all three of them", () => {
  expect(awks.map(([program]) => program)).toEqual(["mawk", "gawk", "busybox"]);
  expect(allPresent(awks)).toBe(awks);
});

test("a shell that is not here is an error that names it", () => {
  const find = (program: string) => (program === "busybox" ? undefined : `/bin/${program}`);
  expect(() => allPresent(posixShells, find)).toThrow(/cannot run scripts in busybox: not on PATH; install/);
});
