import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { brokenLinks, linksOf } from "../../support/links.js";

const repository = join(__dirname, "../../..");
const pages = globSync(["*.md", "docs/**/*.md", "test/*/README.md"], { cwd: repository });

test("a link to a missing page, a missing heading and a missing heading of its own page is found", () => {
  const text = [
    "# One `two`: three\n",
    "[a](none.md) [b](README.md#no-such) [c](#four) [d](#one-two-three) `[e](f.md)`",
    "```\n[g](h.md)\n# four\n```",
    "[i](https://example.com/x)",
  ].join("\n");
  expect(brokenLinks(repository, "x.md", text)).toEqual([
    "x.md: none.md",
    "x.md: README.md#no-such",
    "x.md: #four",
  ]);
});

test("every link between pages leads to a page and to a heading that is there", () => {
  expect(pages.length).toBeGreaterThan(25);
  expect(pages.flatMap((page) => brokenLinks(repository, page))).toEqual([]);
});

test("every file of the repository that a page names is there", () => {
  const folders = "cli|docs|examples|policy|providers|rollback|scripts|src|stacks|test";
  const named = new RegExp(`\`((?:${folders})/[\\w./-]+)\``, "g");
  // The changelog names files of its time, and NAME stands for any.
  const missing = pages
    .filter((page) => page !== "CHANGELOG.md")
    .flatMap((page) =>
      [...readFileSync(join(repository, page), "utf8").matchAll(named)]
        .map(([, file = ""]) => file)
        .filter((file) => !file.includes("NAME"))
        .filter((file) => globSync(`${file.replace(/\/$/, "")}*`, { cwd: repository }).length === 0)
        .map((file) => `${page}: ${file}`),
    );
  expect(missing).toEqual([]);
  expect("`test/unit/fuzz` of `src/x.ts`".match(named)).toHaveLength(2);
});

test("every page of docs is in the index", () => {
  const targets = linksOf(readFileSync(join(repository, "docs/README.md"), "utf8"));
  const listed = targets.map((target) => join("docs", target.split("#")[0] ?? ""));
  const documents = pages.filter((page) => page.startsWith("docs/") && page !== "docs/README.md");
  expect(listed).toEqual(expect.arrayContaining(documents));
});
