import { plainText, visible } from "../../src/values/foreign.js";
import type { Line } from "./lines.js";
import type { PlannedChange } from "./plan.js";

const many = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;

/** Returns the changes by host. Hosts are in the order of their first change. */
function byHost(changes: readonly PlannedChange[]): Map<string, PlannedChange[]> {
  const hosts = new Map<string, PlannedChange[]>();
  for (const change of changes) hosts.set(change.host, [...(hosts.get(change.host) ?? []), change]);
  return hosts;
}

const linesOf = (changes: readonly PlannedChange[]) =>
  changes.flatMap(({ lines }) => lines.filter(({ isRecord }) => !isRecord));

/** Effects by which connections end at once. */
const ends: ReadonlySet<string> = new Set(["reset", "cut off"]);

function endedText(changes: readonly PlannedChange[], ended: readonly number[]): string[] {
  if (!changes.some(({ live }) => live?.connections)) return [];
  const sum = ended.reduce((all, one) => all + one, 0);
  if (sum === 0) return ["no open connection ends at once"];
  return [`${many(sum, "open connection")} ${sum === 1 ? "is" : "are"} reset or cut off`];
}

/** Returns one line about everything: `director1: 3 lines, web2: 1 line; 1 member drains up to 60 s`. */
function summaryOf(changes: readonly PlannedChange[]): string {
  const hosts = [...byHost(changes)].map(([host, of]) => `${host}: ${many(linesOf(of).length, "line")}`);
  if (hosts.length === 0) return "no host changes";
  const drains = changes.flatMap(({ drains }) => drains ?? []);
  const unknown = changes.filter((change) => change.unknown).length;
  const refused = changes.filter((change) => change.refused).length;
  const ended = changes
    .flatMap(({ live }) => live?.connections ?? [])
    .filter(({ effect }) => ends.has(effect));
  return [
    hosts.join(", "),
    ...(drains.length > 0
      ? [
          `${many(drains.length, "member")} drain${drains.length === 1 ? "s" : ""} up to ${Math.max(...drains)} s`,
        ]
      : []),
    ...endedText(
      changes,
      ended.map(({ affected }) => affected),
    ),
    ...(unknown > 0 ? [`the lines of ${many(unknown, "resource")} are not known yet`] : []),
    ...(refused > 0 ? [`${many(refused, "resource")} would be refused`] : []),
  ].join("; ");
}

/** Returns what a line writes: all of it, or what differs from before. */
function writtenText({ content, undoContent }: Pick<Line, "content" | "undoContent">): string[] {
  if (!undoContent) return (content ?? []).map((line) => `| ${line}`);
  const nameOf = (line: string) =>
    line
      .split(" ")
      .slice(0, line.startsWith("check ") ? 3 : 1)
      .join(" ");
  const is = content ?? [];
  const stays = is.filter((line) => undoContent.includes(line));
  const gone = undoContent.filter((line) => !is.includes(line));
  const names = new Set(is.filter((line) => !undoContent.includes(line)).map(nameOf));
  return [
    ...is
      .filter((line) => !stays.includes(line))
      .flatMap((line) => [
        ...gone.filter((old) => nameOf(old) === nameOf(line)).map((old) => `- ${old}`),
        `+ ${line}`,
      ]),
    ...gone.filter((old) => !names.has(nameOf(old))).map((old) => `- ${old}`),
    ...(stays.length > 0
      ? [`  ${many(stays.length, "line")} of the file ${stays.length === 1 ? "stays" : "stay"}`]
      : []),
  ];
}

/** Returns what one resource does, with its undo below each line. */
function textOf(change: PlannedChange): string[] {
  const { op, resource, lines, undo, drains, unknown, refused, probes, unread, live } = change;
  const records = lines.filter(({ isRecord }) => isRecord).map(({ text }) => text);
  return [
    `  ${op} ${plainText(resource, 300)}`,
    ...(unknown ? [`    not known before the update: ${unknown.join(", ")}`] : []),
    ...(probes ? ["    sends its requests, and changes nothing"] : []),
    ...(live?.drift ? [`    differs from the state: ${plainText(live.drift, 500)}`] : []),
    ...(live?.nothingToDo ? ["    nothing to do: the host is so already"] : []),
    ...(unread ?? []).map((why) => `    not known: what the host has now: ${plainText(why, 500)}`),
    ...(live?.connections ? [`    connections: ${live.connections.text}`] : []),
    ...(drains === undefined || live?.connections ? [] : [`    drains up to ${drains} s`]),
    ...lines
      .filter(({ isRecord }) => !isRecord)
      .flatMap(({ text, undo, unknown, ...written }) => [
        `    ${text}`,
        ...writtenText(written).map((line) => `      ${line}`),
        ...(undo === null ? [] : [`      undo: ${undo}`]),
        ...(unknown ? [`      not known: ${unknown}`] : []),
      ]),
    ...undo.map(({ text }) => `    undo also: ${text}`),
    ...(records.length > 0 ? [`    records: ${[...new Set(records)].join("; ")}`] : []),
    ...(refused === undefined ? [] : [`    refused: ${plainText(refused, 500)}`]),
  ];
}

const order = "Lines of resources that do not depend on each other may change places.";
const declared = `No host was read. A thing that is there already as declared needs no line. ${order}`;
const read = `Hosts were read, and not changed. Connections come and go until the update. ${order}`;
const footer = (changes: readonly PlannedChange[]): string[] =>
  changes.length === 0 ? [] : ["", changes.some(({ live }) => live) ? read : declared];

/** Returns the plan as text. */
export const asText = (changes: readonly PlannedChange[]): string =>
  [
    summaryOf(changes),
    ...[...byHost(changes)].flatMap(([host, of]) => ["", host, ...of.flatMap(textOf)]),
    ...footer(changes),
  ].join("\n");

/** Returns the plan as JSON. */
export const asJson = (changes: readonly PlannedChange[]): string =>
  JSON.stringify({ summary: summaryOf(changes), changes }, null, 2);

/** Returns the whole text for Markdown. The warnings of a summary stand at its end. */
const html = (text: string): string =>
  visible(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Returns the plan as Markdown, with a section for each host that a reader opens. */
export function asMarkdown(changes: readonly PlannedChange[]): string {
  const sections = [...byHost(changes)].flatMap(([host, of]) => {
    const lines = of.flatMap(textOf).map((line) => line.slice(2));
    // A text of the program may hold backticks, and must not end the block.
    const longest = Math.max(
      2,
      ...lines.flatMap((line) => (line.match(/`+/g) ?? []).map((run) => run.length)),
    );
    const fence = "`".repeat(longest + 1);
    return [
      "",
      "<details>",
      `<summary>${html(host)}: ${many(linesOf(of).length, "line")}</summary>`,
      "",
      `${fence}text`,
      ...lines,
      fence,
      "",
      "</details>",
    ];
  });
  return [`**${html(summaryOf(changes))}**`, ...sections, ...footer(changes)].join("\n");
}
