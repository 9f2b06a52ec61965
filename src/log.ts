import { visible } from "./values/foreign.js";

/** Tells of connections and scripts, on standard error, where `LVS_LOG=debug` asks for it; otherwise it is silent. */
export function log(line: () => string): void {
  if (process.env.LVS_LOG === "debug") console.error(`lvs: ${visible(line())}`);
}

/** Says a line to whoever runs Pulumi, which shows it with the stack. Only for what nothing else would tell. */
export function tell(line: string): void {
  // which does not mind that nobody may be there any more
  console.log(visible(line));
}
