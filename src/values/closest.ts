/**
 * Returns the number of characters to insert, delete, replace or swap with their neighbour until two texts are
 * equal (optimal string alignment). It has twelve lines, and a library would be one more to trust and update.
 */
export function distance(one: string, other: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: other.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const cost = one[i - 1] === other[j - 1] ? 0 : 1;
      const isSwap = one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const ways = [(row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, (last[j - 1] ?? 0) + cost];
      row.push(Math.min(...ways, ...(isSwap ? [(before[j - 2] ?? 0) + 1] : [])));
    }
    [before, last] = [last, row];
  }
  return last[other.length] ?? 0;
}

const bare = (word: string): string => word.toLowerCase().replaceAll(/[^a-z0-9]/g, "");

// A short word is near to many others.
const most = (length: number): number => (length < 3 ? 0 : length < 5 ? 1 : length < 8 ? 2 : 3);

/** Returns the word that a typing error stands for: the nearest one, if it is near. */
export function closest(given: string, words: readonly string[]): string | undefined {
  if (given.length > 60) return undefined;
  const text = bare(given);
  const found = words
    .map((word) => ({ word, far: distance(text, bare(word)) }))
    .filter(({ word, far }) => far <= most(Math.min(text.length, bare(word).length)))
    .sort((a, b) => a.far - b.far)[0]?.word;
  return found ?? words.find((word) => text.length >= 4 && bare(word).startsWith(text));
}
