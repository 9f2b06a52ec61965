import { show } from "../values/problem.js";
import { factOf } from "./fact.js";

/**
 * Reads the output of read_module (lib/read.sh): the parameters of a loaded module. Returns undefined if it
 * is not loaded.
 */
function parseModule(body: string): ReadonlyMap<string, string> | undefined {
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

/** The parameters of a loaded or built-in module, or undefined if it is not loaded. */
export const module = factOf({
  name: "module",
  args: (name) => [name],
  parse: parseModule,
  shown: (name) => `/sys/module/${name}`,
  nothing: "absent",
});
