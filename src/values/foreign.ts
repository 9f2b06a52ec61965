// Characters that terminals obey or that reverse text, halves of characters, and what CI runners obey
// anywhere in a line: `##[`, `##vso[`.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|#(?=#(?:\[|[A-Za-z]+\[))/gu;

const escaped = (character: string): string =>
  character.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Returns whether every terminal shows the text as it is, in one line. */
export const isPlain = (text: string): boolean => text.search(unprintable) < 0;

/** Returns whether all texts in a value are plain, and none is so long that it hides all else. */
export function isPlainThroughout(value: unknown): boolean {
  if (typeof value === "string") return value.length <= 1000 && isPlain(value);
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, one]) => isPlain(key) && isPlainThroughout(one));
}

/**
 * Returns the text in one line that every terminal shows as it is. Control characters, line ends and the like
 * become `\u001b`.
 */
export const visible = (text: string): string => text.replace(unprintable, escaped);

/**
 * Returns foreign text (of a host, a server, a file, a value) fit for a message: `visible`, and cut if it is
 * long. All text that is not our own passes here before it becomes part of a message.
 */
export function plainText(text: string, most = 300): string {
  // Cut first: the text may have megabytes.
  const short = visible(text.slice(0, most));
  return text.length > most || short.length > most
    ? `${[...short.slice(0, most - 3)].filter(isWhole).join("")}...`
    : short;
}

const isWhole = (character: string): boolean => !/\p{Cs}/u.test(character);
