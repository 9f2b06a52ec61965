import type { FactName, Facts } from "../../src/facts/facts.js";
import { defaultMetric, printedDestination } from "../../src/facts/ip-lists.js";
import type { LedgerRecord } from "../../src/facts/ledger.js";
import { sysctlName } from "../../src/values/sysctl-name.js";

/** The check whether the thing of a record exists on a host, with its facts. */
interface Presence {
  readonly facts: readonly FactName[];
  isThere(facts: Facts): boolean;
}

/** A thing as in the host's ledger. */
type Named = Pick<LedgerRecord, "thing" | "words">;

const notReadable: Presence = { facts: [], isThere: () => true };

/** Returns how to look for a thing. A thing that the host cannot show counts as existing. */
export function presenceOf({ thing, words }: Named): Presence {
  const [, kind = "", id = ""] = /^(\S+) (.*)$/.exec(thing) ?? [];
  const [before, after] = partsAt(id, kind === "RealServer" ? id.lastIndexOf("/") : id.indexOf("/"));
  switch (kind) {
    case "VirtualService":
      return { facts: ["table"], isThere: (facts) => facts.ipvs().has(id) };
    case "RealServer":
      return {
        facts: ["table", "health"],
        // A health monitor may have removed it from the table for a time.
        isThere: (facts) =>
          facts.ipvs().get(before)?.realServers.has(after) === true ||
          (facts.ipvs().has(before) && facts.health().get(before)?.has(after) === true),
      };
    case "VirtualAddress":
      return {
        facts: ["addresses"],
        isThere: (facts) => facts.addresses().some((a) => a.interface === before && a.local === after),
      };
    case "SyncDaemon":
      return { facts: ["daemons"], isThere: (facts) => facts.daemons().some(({ state }) => state === after) };
    case "HealthMonitor": {
      const service = id.replace(/\/health$/, "");
      return {
        facts: ["table", "ledger"],
        isThere: (facts) =>
          facts.ipvs().has(service) || facts.ledger().of(`VirtualService ${service}`).length > 0,
      };
    }
    case "VrrpInstance": {
      const fact = `vrrp:${id.replace(/^vrrp\//, "").replace("/", "-")}` as const;
      return { facts: [fact], isThere: (facts) => facts.vrrp(fact.slice(5)) !== undefined };
    }
    default:
      return presenceByVerb(words);
  }
}

/** Returns how to look for the thing that a record's verb makes. */
function presenceByVerb([verb, ...args]: readonly string[]): Presence {
  switch (verb) {
    case "route":
      return presenceOfRoute(args);
    case "timeouts":
      return { facts: ["timeouts"], isThere: (facts) => facts.timeouts() !== undefined };
    case "module": {
      const [name = ""] = args;
      if (!/^\w{1,60}$/.test(name)) return notReadable;
      return { facts: [`module:${name}`], isThere: (facts) => facts.module(name) !== undefined };
    }
    case "sysctl":
    case "forwarding": {
      const names = args.filter((name, i) => i % 2 === 0 && sysctlName.safeParse(name).success);
      return {
        facts: names.map((name) => `sysctl:${name}` as const),
        isThere: (facts) => names.every((name) => facts.sysctl(name) !== undefined),
      };
    }
    default:
      return notReadable;
  }
}

function presenceOfRoute([family, to = "", ...more]: readonly string[]): Presence {
  const given = (name: string) => more[more.indexOf(name) + 1];
  const table = given("table") ?? "main";
  if ((family !== "4" && family !== "6") || !more.includes("table") || !/^(main|\d{1,10})$/.test(table))
    return notReadable;
  const metric = more.includes("metric") ? Number(given("metric")) : defaultMetric(family);
  const dst = printedDestination(family, to);
  return {
    facts: [`routes:${family}:${table}`],
    isThere: (facts) => facts.routes(family, table).some((r) => r.dst === dst && r.metric === metric),
  };
}

const partsAt = (id: string, at: number): [string, string] => [id.slice(0, at), id.slice(at + 1)];
