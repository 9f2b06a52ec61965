import { NotRetriedError } from "../errors.js";

const sudoRemedies: readonly (readonly [RegExp, string])[] = [
  [
    /must have a tty|no tty present|requiretty/,
    "take `Defaults requiretty` out of its sudoers for that user (`Defaults:USER !requiretty`), or log in as root",
  ],
  [/sudo: (?:command )?not found/, "install sudo there, or log in as root"],
  [
    /^Sorry, user|not in the sudoers|may not run sudo|not allowed to execute/,
    "let the user run /bin/sh by sudo without a password (NOPASSWD), or log in as root",
  ],
  [/^sudo:/, "let the user run sudo without a password (NOPASSWD), or log in as root"],
];

/**
 * Returns why sudo refuses, in its own words and without its lecture. Returns undefined if it printed
 * nothing.
 */
export function sudoRefusal(host: string, lines: readonly string[]): NotRetriedError | undefined {
  for (const [pattern, remedy] of sudoRemedies) {
    const refusal = lines.find((line) => pattern.test(line));
    if (refusal !== undefined) return new NotRetriedError(host, `cannot become root: ${refusal}`, remedy);
  }
  return undefined;
}
