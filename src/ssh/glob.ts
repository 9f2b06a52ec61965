/**
 * Returns whether a text matches a pattern of ssh_config(5): `*` is any text, `?` is any one character.
 * Backtracks to the last `*` only, so a hostile pattern costs at most its length times the length of the
 * text.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0;
  let of = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    const wanted = pattern[of];
    if (wanted === "*") {
      star = of++;
      resume = at;
    } else if (wanted === "?" || wanted === text[at]) {
      of++;
      at++;
    } else if (star >= 0) {
      of = star + 1;
      at = ++resume;
    } else return false;
  }
  while (pattern[of] === "*") of++;
  return of === pattern.length;
}

/**
 * Returns whether a text matches a pattern of a list, and none of the patterns that begin with `!`
 * (ssh_config(5), PATTERNS).
 */
export function matchesList(patterns: readonly string[], text: string): boolean {
  const isNegated = (pattern: string) => pattern.startsWith("!");
  return (
    patterns.some((pattern) => !isNegated(pattern) && matchesGlob(pattern, text)) &&
    !patterns.some((pattern) => isNegated(pattern) && matchesGlob(pattern.slice(1), text))
  );
}
