import type { Definition } from "../../providers/engine/define.js";
import { driftOf } from "../../providers/engine/difference.js";
import { type Bag, partsOf, plain } from "../../providers/engine/inputs.js";
import { type Changing, effectOf, type OpenConnections, openOf, type User, usersOf } from "./connections.js";
import { expireNodest, LiveHosts } from "./live-hosts.js";
import type { PlannedHosts } from "./planner.js";

/** What the host has now, and what a change means there. */
export interface Live {
  /** The fields of the thing on the host now, or null if it is not there. A secret field is `[secret]`. */
  readonly has: Bag | null;
  /** How the host differs from what the state declares. */
  readonly drift?: string;
  /** True if the host is as wanted already, and nothing is run. */
  readonly nothingToDo?: true;
  readonly connections?: OpenConnections;
}

/** A change before it is planned. */
interface Before {
  readonly definition: Definition;
  readonly op: Changing["op"];
  readonly isReplaced: boolean;
  readonly host: string;
  readonly inputs: Bag;
  readonly olds: Bag;
}

const isSecret = (value: unknown): boolean => JSON.stringify(value ?? null).includes("[secret]");

/** Returns the texts in a value. */
const textsIn = (value: unknown): string[] =>
  typeof value === "object" && value !== null
    ? Object.values(value).flatMap(textsIn)
    : value === undefined || value === null || value === ""
      ? []
      : [String(value)];

/** Looks at a read host before a change. Returns undefined if hosts are not read. */
export function liveLook(hosts: PlannedHosts, change: Before) {
  const { definition, op, isReplaced, host, inputs, olds } = change;
  if (!(hosts instanceof LiveHosts)) return undefined;
  const { key, config } = partsOf(definition, inputs);
  const was = partsOf(definition, olds).config;
  const at = hosts.at(host);
  const read = hosts.factsOf(host);
  const have = read && orNothing(() => definition.read(read, key, config) as Bag | undefined);
  const secretFields = Object.keys({ ...config, ...was }).filter(
    (name) => isSecret(config[name]) || isSecret(was[name]),
  );
  const secrets = secretFields.flatMap((name) => textsIn(have?.[name]));
  const shown = (bag: Bag): Bag =>
    Object.fromEntries(
      Object.entries(bag).map(([name, value]) => [name, secretFields.includes(name) ? "[secret]" : value]),
    );
  const has = have ? (plain(shown(have)) as Bag) : null;
  const changing: Changing = {
    ...{ kind: definition.kind, op, isReplaced, id: definition.id(key), key, config, was },
  };
  const nameOf = ({ service, server }: User) => `${host} ${service} ${server}`;
  const users = usersOf(changing, at.host)?.filter((one) => !hosts.ended.has(nameOf(one)));
  const open = users && read && orNothing(() => openOf(users, read.connections()));
  const resets = at.facts.sysctl(expireNodest) === "1";
  const drift = op === "create" ? undefined : driftOf(have && shown(have), shown(was));
  return {
    secrets,
    /** Returns what is known after the change is planned. */
    after(runs: boolean, waits: boolean): Live {
      const connections = open === undefined || !runs ? undefined : effectOf(changing, open, waits, resets);
      if (connections && connections.affected > 0)
        for (const user of users ?? []) hosts.ended.add(nameOf(user));
      return {
        has,
        ...(drift === undefined ? {} : { drift }),
        ...(runs ? {} : { nothingToDo: true }),
        ...(connections ? { connections } : {}),
      };
    },
  };
}

/** Returns a value of facts, or undefined if the host could not read one of them. */
function orNothing<T>(value: () => T): T | undefined {
  try {
    return value();
  } catch {
    return undefined;
  }
}
