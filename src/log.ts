/** Tells of connections and scripts, on standard error, where `LVS_LOG=debug` asks for it; otherwise nothing is ever printed. */
export function log(line: () => string): void {
  if (process.env.LVS_LOG === "debug") console.error(`lvs: ${line()}`);
}
