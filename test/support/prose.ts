import ts from "typescript";

/** A run of prose: a paragraph, a list item, a table cell, a heading or a comment. `line` is that of its first character. */
export interface Prose {
  readonly line: number;
  readonly text: string;
}

/** Stands for inline code, a URL or a tag. It is not counted as a word, but ends and begins sentences as one. */
const code = "\uFFFC";
/** Replaces a match by one sign and keeps its line ends, so that lines can still be counted. */
const asCode = (match: string): string => code + match.replace(/[^\n]/g, "");

/** Removes what is not prose from Markdown: code, targets of links, tags and emphasis. */
const plain = (text: string): string =>
  text
    .replace(/(`+)[^`](?:.|\n)*?\1(?!`)/g, asCode)
    .replace(/<!--(?:.|\n)*?-->/g, asCode)
    .replace(/!?\[((?:[^\]\\]|\\.)*)\](?:\([^)]*\)|\[[^\]]*\])/g, "$1")
    .replace(/<[a-z/][^>]*>|https?:\/\/[^\s)]+/gi, asCode)
    .replace(/\*+|(?<!\w)_+|_+(?!\w)/g, "");

const cellsOf = (row: string): string[] =>
  row
    .trim()
    .replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/);

/** Returns the prose of Markdown. Fenced code is none; each list item, heading and table cell is a text of its own. */
export const markdownProse = (source: string): Prose[] => {
  const found: { line: number; text: string }[] = [];
  let fence: string | undefined;
  let isOpen = false;
  for (const [i, line] of source.split("\n").entries()) {
    const mark = /^[\s>]*(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark !== undefined && (fence === undefined || mark.startsWith(fence))) {
      fence = fence === undefined ? mark : undefined;
      isOpen = false;
    } else if (fence !== undefined) continue;
    else if (/^\s*\|/.test(line)) {
      if (!/^[\s|:-]+$/.test(line)) found.push(...cellsOf(line).map((text) => ({ line: i + 1, text })));
      isOpen = false;
    } else {
      const [, start = "", text = ""] = /^[\s>]*((?:[-*+]|\d+\.|#+)\s+)?(.*)$/.exec(line) ?? [];
      const last = found.at(-1);
      if (isOpen && start === "" && text !== "" && last !== undefined) last.text += `\n${text}`;
      else if (text !== "") found.push({ line: i + 1, text });
      isOpen = text !== "" && !start.startsWith("#");
    }
  }
  return found.map(({ line, text }) => ({ line, text: plain(text) }));
};

/** Returns the prose of a comment: its paragraphs, list items and tags are texts of their own. */
const asMarkdown = ({ line, text }: Prose): Prose[] =>
  markdownProse(text.replace(/^(\s*)@(?=\w)/gm, "$1- ")).map((part) => ({
    ...part,
    line: part.line + line - 1,
  }));

const lineAt = (source: string, position: number): number => source.slice(0, position).split("\n").length;

/** Returns a source with its literals blanked: all that looks like a comment then is one. */
function withoutLiterals(source: string): string {
  const file = ts.createSourceFile("prose.ts", source, {
    languageVersion: ts.ScriptTarget.Latest,
    jsDocParsingMode: ts.JSDocParsingMode.ParseNone,
  });
  const parts: string[] = [];
  let from = 0;
  const visit = (node: ts.Node): void => {
    if (ts.isLiteralExpression(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      const start = node.getStart(file);
      parts.push(source.slice(from, start), " ".repeat(node.end - start));
      from = node.end;
    } else ts.forEachChild(node, visit);
  };
  visit(file);
  return parts.join("") + source.slice(from);
}

/** Returns the comments of TypeScript. Line comments below each other are one text; an `@example` is code. */
export const typescriptProse = (source: string): Prose[] => {
  const found: { line: number; text: string; end: number; isLine: boolean }[] = [];
  for (const { 0: comment, index: pos } of withoutLiterals(source).matchAll(/\/\/.*|\/\*[\s\S]*?\*\//g)) {
    const end = pos + comment.length;
    const text = comment
      .replace(/^\/\*+|\*\/$|^\/\/+/g, "")
      .replace(/\n\s*\*/g, "\n")
      .replace(/@example(?:.|\n)*?(?=\n\s*@|$)/g, asCode);
    const isLine = comment.startsWith("//");
    const last = found.at(-1);
    if (isLine && last?.isLine === true && /^\n[ \t]*$/.test(source.slice(last.end, pos))) {
      last.text += `\n${text}`;
      last.end = end;
    } else found.push({ line: lineAt(source, pos), text, end, isLine });
  }
  return found.flatMap(asMarkdown);
};

/** Returns the comments of shell, awk and unit files. Lines of comment below each other are one text. */
export const hashProse = (source: string): Prose[] => {
  const found: { line: number; text: string }[] = [];
  let isOpen = false;
  for (const [i, line] of source.split("\n").entries()) {
    const [, before = "", text = ""] = /^(|.*?\s)#(?!!)\s+(.*)$/.exec(line) ?? [];
    const isWhole = text !== "" && before.trim() === "";
    const last = found.at(-1);
    if (isWhole && isOpen && last !== undefined) last.text += `\n${text}`;
    else if (text !== "") found.push({ line: i + 1, text });
    isOpen = isWhole;
  }
  return found.flatMap(asMarkdown);
};

/** Returns the sentences of a text with the line on which each begins. */
export const sentencesOf = ({ line, text }: Prose): Prose[] => {
  const ends = [...text.matchAll(/(?<!\b(?:e\.g|i\.e|etc|vs))[.!?…]["')\]]*(?=\s)|$/g)];
  let from = 0;
  return ends.flatMap(({ index, 0: end }) => {
    const sentence = text.slice(from, index + end.length);
    const start = from + sentence.length - sentence.trimStart().length;
    from = index + end.length;
    if (sentence.trim() === "") return [];
    return [{ line: line + lineAt(text, start) - 1, text: sentence.trim().replace(/\s+/g, " ") }];
  });
};

export const wordsOf = (sentence: string): string[] =>
  sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
