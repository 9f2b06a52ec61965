import type { DrainingServer } from "../../src/facts/draining.js";
import type { MonitorState } from "../../src/facts/health.js";
import * as ip from "../../src/facts/ip-lists.js";
import type { Daemon, Timeouts } from "../../src/facts/ipvs-lists.js";
import type { Thresholds } from "../../src/facts/ipvs-table.js";
import { type LedgerRecord, parentOf, parseLedger, printRecord } from "../../src/facts/ledger.js";
import type { VrrpFile } from "../../src/facts/vrrp.js";
import { familyOf } from "../../src/values/address.js";
import { after, type DeclaredService, putEntry, type Words } from "./declared-table.js";

/** Commands after which all facts of a plan are the same. */
const withoutFacts = new Set([":", "announce", "install_boot", "note_drained"]);

/**
 * A host as far as Pulumi's state declares it. It understands the commands of steps, so it shows what a host has
 * after them. What nothing has declared is unknown, and counts as absent.
 */
export class DeclaredHost {
  readonly table = new Map<string, DeclaredService>();
  readonly thresholds = new Map<string, Thresholds>();
  readonly records = new Map<string, LedgerRecord>();
  /** The same records by their thing, and by what it is below of, each by its line. */
  readonly byThing = new Map<string, Map<string, LedgerRecord>>();
  readonly byParent = new Map<string, Map<string, LedgerRecord>>();
  readonly claims = new Map<string, number>();
  readonly files = new Map<string, string>();
  readonly modules = new Map<string, ReadonlyMap<string, string>>();
  readonly monitors = new Map<string, string>();
  readonly vrrp = new Map<string, NonNullable<VrrpFile>>();
  agent: MonitorState["agent"] = "missing";
  addresses: ip.AddressEntry[] = [];
  routes = new Map<string, ip.RouteEntry[]>();
  daemons: Daemon[] = [];
  draining: DrainingServer[] = [];
  timeouts: Timeouts | undefined;

  /** Carries out the command of a step. */
  apply([name = "", ...args]: Words): void {
    const [first = "", second = ""] = args;
    switch (name) {
      case "ipvsadm":
        this.#ipvsadm(args);
        break;
      case "ip":
        if (first === "addr") this.#address(args.slice(1));
        else this.#route(first === "-6" ? "6" : "4", args.slice(2));
        break;
      case "drop_address":
        this.#dropAddress(first, second);
        break;
      case "change_forwarding":
        this.apply(args.slice(4));
        break;
      case "with_file":
        this.apply(args.slice(3));
        break;
      case "put_file":
        this.files.set(first, second);
        break;
      case "modprobe":
        this.modules.set(
          first,
          new Map(args.slice(1).map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string])),
        );
        break;
      case "record":
      case "erase":
        this.#record(name, first, args.slice(1));
        break;
      case "put_vrrp":
        this.vrrp.set(first, { held: false, ...this.vrrp.get(first), state: "running", text: second });
        break;
      case "run_vrrp":
        this.vrrp.set(first, { held: false, text: "", ...this.vrrp.get(first), state: "running" });
        break;
      case "drop_vrrp":
        this.vrrp.delete(first);
        break;
      case "put_monitor":
        this.monitors.set(first, second);
        break;
      case "drop_monitor":
        this.monitors.delete(first);
        break;
      case "put_agent":
        this.agent = "running";
        break;
      case "drop_agent":
        if (this.monitors.size === 0) this.agent = "missing";
        break;
      case "begin_drain":
        this.draining.push({ service: first, server: second, since: 0, line: `${first}\t${second}\t0` });
        break;
      case "end_drain":
        this.draining = this.draining.filter((one) => one.service !== first || one.server !== second);
        break;
      default:
        if (name.startsWith("claim_")) this.claims.set(first, (this.claims.get(first) ?? 0) + 1);
        else if (name.startsWith("restore_")) this.#release(name, first, second);
        // A command that is forgotten here would make the lines after it wrong.
        else if (!withoutFacts.has(name)) throw new Error(`cannot plan the command ${name}: it is not known`);
    }
  }

  #ipvsadm(words: Words): void {
    const [verb = "", state = ""] = words;
    const number = (flag: string) => Number(after(words, flag));
    if (verb === "--set") {
      const [tcp = 0, tcpFin = 0, udp = 0] = words.slice(1).map(Number);
      this.timeouts = { tcp, tcpFin, udp };
    } else if (verb === "--stop-daemon") this.daemons = this.daemons.filter((one) => one.state !== state);
    else if (verb === "--start-daemon")
      this.daemons.push({
        state: state as Daemon["state"],
        mcastInterface: after(words, "--mcast-interface") ?? "",
        syncid: number("--syncid"),
        syncMaxlen: number("--sync-maxlen"),
        mcastGroup: after(words, "--mcast-group") ?? "",
        mcastPort: number("--mcast-port"),
        mcastTtl: number("--mcast-ttl"),
      });
    else putEntry(this, words);
  }

  #address([verb = "", text = "", ...words]: Words): void {
    const [local = "", bits] = text.split("/");
    const device = after(words, "dev") ?? "";
    if (verb === "change") this.#dropAddress(device, text);
    const [broadcast, label] = [after(words, "broadcast"), after(words, "label")];
    this.addresses.push({
      interface: device,
      family: familyOf(local) === "ipv4" ? "inet" : "inet6",
      local,
      prefixlen: Number(bits),
      ...(broadcast === undefined ? {} : { broadcast }),
      label: label ?? device,
      deprecated: after(words, "preferred_lft") === "0",
    });
  }

  #dropAddress(device: string, text: string): void {
    this.addresses = this.addresses.filter(
      (one) => one.interface !== device || `${one.local}/${one.prefixlen}` !== text,
    );
  }

  #route(family: "4" | "6", [verb = "", to = "", ...words]: Words): void {
    const name = `${family}:${after(words, "table") ?? "main"}`;
    const dst = ip.printedDestination(family, to);
    const metric = Number(after(words, "metric") ?? ip.defaultMetric(family));
    const rest = (this.routes.get(name) ?? []).filter((one) => one.dst !== dst || one.metric !== metric);
    const part = (key: string, flag: string) => (words.includes(flag) ? { [key]: after(words, flag) } : {});
    const route = {
      ...{ dst, metric },
      ...part("gateway", "via"),
      ...part("dev", "dev"),
      ...part("prefsrc", "src"),
    };
    this.routes.set(name, verb === "del" ? rest : [...rest, route]);
  }

  #record(verb: "record" | "erase", lifetime: string, lines: Words): void {
    for (const line of lines) {
      const text = Buffer.from(`${line}\n`).toString("latin1");
      const body = lifetime === "persistent" ? `restored\n--\n${text}\n--\n` : `restored\n--\n\n--\n${text}`;
      const [record] = parseLedger(body).records;
      if (!record) continue;
      for (const place of this.#placesOf(record))
        if (verb === "record") place.set(`${lifetime} ${line}`, record);
        else place.delete(`${lifetime} ${line}`);
    }
  }

  /** Replaces all records. */
  putRecords(records: readonly LedgerRecord[]): void {
    for (const all of [this.records, this.byThing, this.byParent]) all.clear();
    for (const record of records)
      for (const place of this.#placesOf(record))
        place.set(`${record.lifetime} ${printRecord(record)}`, record);
  }

  #placesOf({ thing }: LedgerRecord): Map<string, LedgerRecord>[] {
    const placeIn = (groups: Map<string, Map<string, LedgerRecord>>, of: string) => {
      const group = groups.get(of) ?? new Map<string, LedgerRecord>();
      groups.set(of, group);
      return group;
    };
    return [this.records, placeIn(this.byThing, thing), placeIn(this.byParent, parentOf(thing))];
  }

  /** The last release restores a value that only the host knows. */
  #release(name: string, claim: string, second: string): void {
    const left = (this.claims.get(claim) ?? 1) - 1;
    this.claims.set(claim, left);
    if (left > 0) return;
    if (name === "restore_file") this.files.delete(second);
    if (name === "restore_module") this.modules.delete(second);
    if (name === "restore_timeouts") this.timeouts = undefined;
  }
}
