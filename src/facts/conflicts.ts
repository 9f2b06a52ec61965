import { conflicts as known, type Running } from "../values/conflicts.js";
import { show } from "../values/problem.js";
import { fact } from "./fact.js";

function parseConflicts(body: string): Running[] {
  // The text came byte by byte and is UTF-8.
  const lines = Buffer.from(body, "latin1").toString("utf8").split("\n").filter(Boolean) as Running[];
  const other = lines.find((line) => line !== "daemons" && !known.includes(line));
  if (other !== undefined) throw new Error(`unexpected output ${show(other)}`);
  return lines;
}

/** The running programs that conflict over the IPVS table. */
export const conflicts = fact({
  name: "conflicts",
  parse: parseConflicts,
  shown: "the names of processes in /proc",
});
