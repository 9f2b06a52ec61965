import { findProgram } from "./tree.js";

/** A shell or an awk that scripts are run by, as an argument vector. */
export type ShellProgram = readonly string[];

/** The POSIX shells that hosts have, in the order of tests. */
export const posixShells: readonly ShellProgram[] = [
  ["sh"],
  ["dash"],
  ["bash", "--posix"],
  ["busybox", "sh"],
];

/** The awks that hosts have: those of Debian, of RHEL and of Alpine. */
export const awks: readonly ShellProgram[] = [["mawk"], ["gawk"], ["busybox", "awk"]];

/**
 * These programs, each of which has to be here: a test that is left out without a word shows nothing.
 *
 * @throws an error that names the shells that are absent
 */
export function allPresent(
  wanted: readonly ShellProgram[],
  find: (program: string) => string | undefined = findProgram,
): readonly ShellProgram[] {
  const absent = wanted.flatMap(([program = ""]) => (find(program) ? [] : [program]));
  if (absent.length > 0)
    throw new Error(
      `cannot run scripts in ${absent.join(", ")}: not on PATH; install the Debian package of that name, as node scripts/shells.mjs does`,
    );
  return wanted;
}

/** Returns these programs, which all have to be here, each with its title for `test.each`. */
export const titled = (wanted: readonly ShellProgram[]): [string, ShellProgram][] =>
  allPresent(wanted).map((program) => [program.join(" "), program]);
