import { expect, test } from "vitest";
import { allPresent, posixShells } from "../../support/fake/shells.js";

test("tests over shells run in all four of them", () => {
  expect(posixShells.map(([program]) => program)).toEqual(["sh", "dash", "bash", "busybox"]);
  expect(allPresent(posixShells)).toBe(posixShells);
});

test("a shell that is not here is an error that names it", () => {
  const find = (program: string) => (program === "busybox" ? undefined : `/bin/${program}`);
  expect(() => allPresent(posixShells, find)).toThrow(/cannot run scripts in busybox: not on PATH; install/);
});
