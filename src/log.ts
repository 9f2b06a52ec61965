/** Tells of connections and scripts, on standard error, where `LVS_LOG=debug` asks for it; otherwise it is silent. */
export function log(line: () => string): void {
  if (process.env.LVS_LOG === "debug") console.error(`lvs: ${line()}`);
}

/** Says a line to whoever runs Pulumi, which shows it with the stack. Only for what nothing else would tell. */
export function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}
