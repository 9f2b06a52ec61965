import { except, rule } from "../rule.js";
import type { Bag, Seen } from "../view.js";

/** Returns the hosts in a value that are reached without a check of their key. */
function unchecked(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const { insecureIgnoreHostKey, host } = value as Bag;
  return [
    ...(insecureIgnoreHostKey === true ? [String(host ?? "unknown host")] : []),
    ...Object.values(value).flatMap(unchecked),
  ];
}

/** Without the check, another machine may answer in place of the host. */
export const hostKey = rule<{ except: string[] }>({
  name: "host-key",
  description: "No connection has insecureIgnoreHostKey.",
  level: "mandatory",
  severity: "critical",
  fields: { except: except("hosts") },
  check({ resources }, { except }) {
    const found = new Map<string, Seen[]>();
    for (const one of resources)
      for (const host of new Set(unchecked(one.props))) found.set(host, [...(found.get(host) ?? []), one]);
    return [...found]
      .filter(([host]) => !except.includes(host))
      .map(([host, [first, ...more]]) => ({
        message: `the host key of ${host} is not checked (${first?.name}${more.length > 0 ? ` and ${more.length} more` : ""}); put it into known_hosts, and leave out insecureIgnoreHostKey`,
        ...(first ? { urn: first.urn } : {}),
      }));
  },
});
