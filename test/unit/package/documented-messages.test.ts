import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const repository = join(__dirname, "../../..");
const read = (file: string) => readFileSync(join(repository, file), "utf8");
const wordsOf = (text: string) => text.split(/[^A-Za-z_'-]+/).filter(Boolean);

/** The words of the code. A value ends a run of words. */
const code = ` ${wordsOf(
  globSync("{src,providers,stacks,rollback,cli}/**/*.{ts,sh,awk}", { cwd: repository })
    .map(read)
    .join("\n")
    .replaceAll(/\$\{[^{}]*\}|\$\w+/g, "0"),
).join(" ")} `;

/** Messages of Pulumi, of libraries and of the tools on hosts, and those that consist of values. */
const notOurs =
  /: not found|^Module |^Service not defined|^Connection lost|^property port value|^Cannot read properties|^probe\/|waits for|Scheduler/;

const tables = [
  "docs/failures.md",
  "docs/connection.md",
  "docs/failover.md",
  ...globSync("docs/resources/*.md", { cwd: repository }),
];

test.for(tables)("the messages in the tables of %s are those of the code", (file) => {
  const messages = [...read(file).matchAll(/^\| (?:message|you see|the journal says) .*\n((?:\|.*\n)*)/gm)]
    .flatMap(([, rows = ""]) => rows.split("\n"))
    .flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/``? ?(.+?) ?``?(?=[ ,(]|$)/g)])
    .map(([, message = ""]) => message)
    .filter((message) => !notOurs.test(message));
  const unknown = messages.filter((message) => {
    const words = wordsOf(message);
    const runs = words.slice(2).map((_, i) => ` ${words.slice(i, i + 3).join(" ")} `);
    return runs.length > 0 && !runs.some((run) => code.includes(run));
  });
  expect(unknown).toEqual([]);
});
