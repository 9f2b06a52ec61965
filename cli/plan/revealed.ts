import { isDeepStrictEqual } from "node:util";
import { type Bag, plain } from "../../providers/engine/inputs.js";
import { HostError } from "../../src/errors.js";
import { type Connection, type Endpoint, hostLabel, secretFields } from "../../src/ssh/connection.js";

const isMasked = (value: unknown): boolean => value === "[secret]";

/** Returns the machines of a connection: its host, then its jump hosts. */
const hopsOf = (endpoint: Endpoint): Endpoint[] => [
  endpoint,
  ...(endpoint.proxy ? hopsOf(endpoint.proxy) : []),
];

/** Returns a connection without its secrets. */
function route({ proxy, ...endpoint }: Endpoint): Bag {
  const bag = { ...endpoint, ...(proxy ? { proxy: route(proxy) } : {}) } as Bag;
  for (const name of secretFields) delete bag[name];
  return plain(bag) as Bag;
}

/** Returns the fields by which an endpoint could be another machine than the one that the state knows. */
function unlike(is: Endpoint, was: Endpoint): string[] {
  const fields = ["host", "port", "user"] as const;
  const others: string[] = fields.filter((name) => is[name] !== was[name]);
  if (is.insecureAllowSha1 && !was.insecureAllowSha1) others.push("insecureAllowSha1");
  // Where any key is accepted, the way decides which machine answers.
  if (was.insecureIgnoreHostKey)
    return isDeepStrictEqual(route(is).proxy, route(was).proxy) ? others : [...others, "proxy"];
  const proofs = ["hostKey", "knownHosts"] as const;
  others.push(...proofs.filter((name) => is[name] !== was[name]));
  return is.insecureIgnoreHostKey ? [...others, "insecureIgnoreHostKey"] : others;
}

/**
 * Returns a connection with secrets of the state in place of masked ones. A secret goes only to the machine that the
 * state has it for: a change that was not reviewed could name another one.
 *
 * @throws HostError if a masked secret is not that of the machine.
 */
export function revealed(connection: Connection, known: readonly Connection[]): Connection {
  const label = hostLabel(connection);
  // Those of the same host come first.
  const own = known.filter((one) => hostLabel(one) === label);
  const endpoints = [...own, ...known].flatMap(hopsOf);
  const clear = <E extends Endpoint>(endpoint: E): E => {
    const bag = { ...endpoint } as Bag;
    for (const name of secretFields) {
      if (!isMasked(bag[name])) continue;
      const having = endpoints.filter((one) => one[name] !== undefined);
      const same = having.find((one) => unlike(endpoint, one).length === 0);
      if (!same) throw notRevealed(label, endpoint, name, having);
      bag[name] = same[name];
    }
    if (endpoint.proxy) bag.proxy = clear(endpoint.proxy);
    return bag as unknown as E;
  };
  return clear(connection);
}

function notRevealed(
  label: string,
  endpoint: Endpoint,
  name: string,
  having: readonly Endpoint[],
): HostError {
  const at = hostLabel(endpoint);
  const whose = at === label ? `its ${name}` : `the ${name} of its jump host ${at}`;
  const [others] = having
    .filter(({ host }) => host === endpoint.host)
    .map((one) => unlike(endpoint, one))
    .sort((a, b) => a.length - b.length);
  return new HostError(
    label,
    others
      ? `the state has ${whose} for another ${others.join(", ")}, so it is not sent there`
      : `the state does not have ${whose}, and the preview does not show it`,
    "give it by reference, such as privateKeyPath, passwordEnv or an agent, or plan without --live",
  );
}
