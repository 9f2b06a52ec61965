/** Returns one word of a POSIX shell command line that means exactly `text`. No argument can carry NUL. */
export function quote(text: string): string {
  if (text.includes("\0")) throw new Error("cannot pass a NUL character to a host");
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Returns the command line of an argument vector. */
export const commandLine = (argv: readonly string[]): string => argv.map(quote).join(" ");
