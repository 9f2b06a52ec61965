import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const repository = join(__dirname, "../..");
export const documents = globSync(["README.md", "AGENTS.md", "docs/**/*.md"], { cwd: repository });
const sources = globSync("{providers,stacks}/**/*.ts", { cwd: repository });

export const textOf = (file: string): string => readFileSync(join(repository, file), "utf8");

/** An example, and the place where it begins. */
interface Example {
  readonly place: string;
  readonly code: string;
}

/** Returns blocks of code in a document, or after `@example` in a comment. */
export function blocksOf(file: string, pattern: RegExp): Example[] {
  const text = textOf(file);
  return [...text.matchAll(pattern)].map(({ index, 1: code = "" }) => ({
    place: `${file}:${text.slice(0, index).split("\n").length}`,
    code: code.replace(/^ \* ?/gm, ""),
  }));
}

/** Returns every example of TypeScript in documents and doc comments. */
export const documentedPrograms = (): Example[] => [
  ...documents.flatMap((file) => blocksOf(file, /^```ts\n([\s\S]*?)^```$/gm)),
  ...sources.flatMap((file) => blocksOf(file, /^ \* @example\n([\s\S]*?)^ \*\/$/gm)),
];
