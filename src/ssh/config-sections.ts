import { userInfo } from "node:os";
import SSHConfig, { type Directive, type Match, type Section } from "ssh-config";
import { matchesList } from "./glob.js";

/** Keywords whose values add up. For any other, the first value counts. */
const repeatable = ["identityfile", "certificatefile"];

const textsOf = (value: Directive["value"]): string[] =>
  typeof value === "string" ? [value] : value.map(({ val }) => val);

interface Pass {
  /** The name that the user gives. */
  readonly original: string;
  /** The same, or its replacement by HostName. */
  readonly host: string;
  readonly values: Map<string, string[]>;
  /** True after a `Match final`, which needs a second pass through the whole file. */
  wantsFinal: boolean;
  readonly isFinal: boolean;
}

/**
 * Returns the values of a configuration for a host, by lower-case keyword (ssh_config(5)). The library's own
 * function is not used: it turns patterns into regular expressions that backtrack, and runs commands to find
 * canonical names.
 */
export function valuesFor(config: SSHConfig, host: string): Map<string, string[]> {
  const first: Pass = { original: host, host, values: new Map(), wantsFinal: false, isFinal: false };
  goThrough(config, first);
  if (first.wantsFinal)
    goThrough(config, { ...first, host: first.values.get("hostname")?.[0] ?? host, isFinal: true });
  return first.values;
}

function goThrough(config: SSHConfig, pass: Pass): void {
  for (const line of config) {
    if (line.type !== SSHConfig.DIRECTIVE) continue;
    if (!("config" in line)) add(pass, line);
    else if (applies(line as Section | Match, pass))
      for (const inner of (line as Section).config) if (inner.type === SSHConfig.DIRECTIVE) add(pass, inner);
  }
}

function add({ values }: Pass, { param, value, quoted }: Directive): void {
  const key = param.toLowerCase();
  // The library gives several files of known hosts as a list, and does not say that one was in quotes.
  const isOne = quoted || key.endsWith("knownhostsfile");
  if (repeatable.includes(key))
    values.set(key, [...new Set([...(values.get(key) ?? []), ...textsOf(value)])]);
  else if (!values.has(key))
    values.set(key, typeof value === "string" && !isOne ? value.split(/\s+/) : textsOf(value));
}

const patternsOf = (value: Directive["value"]): string[] => textsOf(value).flatMap((text) => text.split(","));

function applies(section: Section | Match, pass: Pass): boolean {
  if (!("criteria" in section)) return matchesList(patternsOf(section.value), pass.host);
  return Object.entries(section.criteria).every(([key, value]) =>
    meets(key.toLowerCase(), patternsOf(value), pass),
  );
}

function meets(criterion: string, patterns: string[], pass: Pass): boolean {
  switch (criterion) {
    case "all":
      return true;
    case "final":
      pass.wantsFinal = true;
      return pass.isFinal;
    case "host":
      return matchesList(patterns, pass.values.get("hostname")?.[0] ?? pass.host);
    case "originalhost":
      return matchesList(patterns, pass.original);
    case "user":
      return matchesList(patterns, pass.values.get("user")?.join(" ") ?? localUser());
    case "localuser":
      return matchesList(patterns, localUser());
    // Commands of `Match exec` do not run.
    default:
      return false;
  }
}

// The user of a container may have no name.
function localUser(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER || "";
  }
}
