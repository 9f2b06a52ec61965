/** Lines of `differences` that come and go together, because one resource makes them. */
function groupOf(line: string): string {
  const [host = ""] = line.split(" ");
  const kinds: [string, RegExp][] = [
    // the kernel loads a scheduler by itself, with the first service that wants it
    ["scheduler", /modules: . ip_vs_/],
    ["module", /modules:|net\.(ipv4\.vs|ipv4\.conf\.\w+\.vs|netfilter|ipv4\.netfilter|nf_conntrack)/],
    ["silence", /arp_(ignore|announce)/],
    ["forwarding", /forward|redirects/],
  ];
  const kind = kinds.find(([, pattern]) => pattern.test(line))?.[0];
  if (kind) return `${host} ${kind}`;
  // an edit takes one line away and brings another
  const entry = /ipvs: [-+] -\w (-[tuf] \S+(?: -6)?(?: -r \S+)?)/.exec(line);
  if (entry) return `${host} ${entry[1]}`;
  // with an address comes the kernel's own route to it
  const address =
    /addresses: .*inet6? ([^ /]+)/.exec(line) ?? /routes:.* local ([^ ]+) .*table local/.exec(line);
  return address ? `${host} address ${address[1]}` : line;
}

/**
 * What is neither as before nor as after: of the lines in which a host differs after a change (`full`), those of one resource
 * must all be there or none. Lines that are in no change are told too.
 */
export function between(full: readonly string[], now: readonly string[]): string[] {
  const counted = (lines: readonly string[]) => {
    const groups = new Map<string, number>();
    for (const line of lines) groups.set(groupOf(line), (groups.get(groupOf(line)) ?? 0) + 1);
    return groups;
  };
  const whole = counted(full);
  return [
    ...now.filter((line) => !full.includes(line)).map((line) => `stray: ${line}`),
    ...[...counted(now)]
      .filter(([group, count]) => whole.get(group) !== count)
      .map(([group, count]) => `half: ${group}, ${count} of ${whole.get(group) ?? 0} lines`),
  ];
}
