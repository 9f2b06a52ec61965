import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";

const repository = join(__dirname, "../../..");

test("docs/lab.md says of each test file on the lab where its IPv6 twin is, or why it needs none", () => {
  const docs = readFileSync(join(repository, "docs/lab.md"), "utf8");
  const [, table = ""] = docs.split("\n## IPv6\n");
  const rows = [...table.matchAll(/^\| `([\w-]+)` +\| (.+?) +\|$/gm)];
  const files = globSync("test/lab/*.test.mts", { cwd: repository }).map((file) =>
    basename(file, ".test.mts"),
  );
  expect(files.filter((file) => !rows.some(([, row]) => row === file))).toEqual([]);
  // a twin is in the file, in another one that it names, or not needed
  for (const [, file, text = ""] of rows) {
    expect(text, file).toMatch(/^(in the file: |needs none: |it is the twin|`)/);
    for (const [, other] of text.matchAll(/`([\w-]+)`/g))
      if (text.startsWith("`")) expect(files).toContain(other);
  }
});
