import { show } from "../values/problem.js";
import { factOf } from "./fact.js";

/** Whether keepalived runs with the file of an instance. All words but `running` are faults. */
const keepalivedStates = ["running", "stopped", "disabled", "left out"] as const;
type KeepalivedState = (typeof keepalivedStates)[number];
const isState = (word: string): word is KeepalivedState =>
  (keepalivedStates as readonly string[]).includes(word);

/** The state of keepalived, and an instance's file. Without the file the state is not read. */
export type VrrpFile =
  | {
      readonly state: KeepalivedState;
      /** Whether the instance is held: a backup of last resort. */
      readonly held: boolean;
      readonly text: string;
    }
  | undefined;

/** Reads the output of read_vrrp. Throws on text of another form. */
function parseVrrpFile(body: string): VrrpFile {
  if (body === "") return undefined;
  const [, state = "", held, bytes = ""] = /^(.*)\n(held\n)?([\s\S]*)$/.exec(body) ?? [];
  if (!isState(state)) throw new Error(`unexpected output ${show(body)}`);
  // The text came byte by byte and is UTF-8.
  const text = Buffer.from(bytes, "latin1").toString("utf8");
  return { state, held: held !== undefined, text: text.replace(/\n$/, "") };
}

/** The file of a VRRP instance, and whether keepalived runs by it. */
export const vrrp = factOf({
  name: "vrrp",
  args: (name) => [name],
  parse: parseVrrpFile,
  shown: (name) => `/etc/keepalived/pulumi-lvs.d/${name}.conf`,
});
