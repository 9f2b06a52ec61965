import { plainText } from "../values/foreign.js";

/** One kind of fact that is read on a host. Its declaration stands beside what reads its text. */
export interface Fact<Name extends string, Value> {
  /** Its name. The function `read_NAME` (shell/lib/read.sh) prints it. */
  readonly name: Name;
  /** Reads what that function prints. Throws on text of another form. */
  parse(body: string): Value;
  /** The host's command or file, as people see it. `of` is what stands after the colon in the name. */
  shown(of: string): string;
  /** Returns the arguments of `read_NAME`. A fact with arguments is named `NAME:ARGUMENTS`. */
  args?(of: string): readonly string[];
  /** Marks a fact that differs at each reading although nothing changed. */
  readonly ticks?: true;
  /** Marks a fact that comes with each reading, because a later job may need it, and it seldom costs a process. */
  readonly along?: true;
  /** What a host prints that has nothing. Default: no text. */
  readonly nothing?: string;
}

/** Returns a fact that a host has once. */
export const fact = <const Name extends string, Value>(
  declared: Omit<Fact<Name, Value>, "args" | "shown"> & { readonly shown: string },
): Fact<Name, Value> => ({ ...declared, shown: () => declared.shown });

/** Returns a fact that a host has of each of several things. */
export const factOf = <const Name extends string, Value>(
  declared: Fact<Name, Value> & Required<Pick<Fact<Name, Value>, "args">>,
) => ({ ...declared, shown: (of: string) => plainText(declared.shown(of), 500) });
