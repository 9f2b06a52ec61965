import { show } from "../values/problem.js";

/**
 * Reads the output of read_module (lib/read.sh): the parameters of a loaded module. Returns undefined if it
 * is not loaded.
 */
export function parseModule(body: string): ReadonlyMap<string, string> | undefined {
  const [state, ...lines] = body.split("\n");
  if (state === "absent") return undefined;
  if (state !== "loaded") throw new Error(`unexpected output ${show(state)}`);
  const other = lines.find((line) => !/^[\t -~]*$/.test(line));
  if (other !== undefined) throw new Error(`unexpected output ${show(other)}`);
  return new Map(
    lines
      .filter(Boolean)
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}
