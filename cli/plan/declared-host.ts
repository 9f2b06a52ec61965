import type { DrainingServer } from "../../src/facts/draining.js";
import type { MonitorState } from "../../src/facts/health.js";
import * as ip from "../../src/facts/ip-lists.js";
import type { Daemon, Thresholds, Timeouts } from "../../src/facts/ipvs-lists.js";
import { type Flags, parseIpvsTable } from "../../src/facts/ipvs-table.js";
import { type LedgerRecord, parseLedger } from "../../src/facts/ledger.js";
import { familyOf } from "../../src/values/address.js";

type Words = readonly string[];

/** Returns the word after a flag. */
const after = (words: Words, flag: string): string | undefined =>
  words.includes(flag) ? words[words.indexOf(flag) + 1] : undefined;

const without = (words: Words, flags: Words): string[] =>
  words.filter((word, i) => !flags.includes(word) && !flags.includes(words[i - 1] ?? ""));

/** A virtual service with its real servers, as in the host's table. */
interface Service {
  readonly flags: Flags;
  readonly realServers: Map<string, Flags>;
}

/**
 * A host as far as Pulumi's state declares it. It understands the commands of steps, so it shows what a host has
 * after them. What nothing has declared is unknown, and counts as absent.
 */
export class DeclaredHost {
  readonly table = new Map<string, Service>();
  readonly thresholds = new Map<string, Thresholds>();
  readonly records = new Map<string, LedgerRecord>();
  /** The same records by their thing, each by its line. */
  readonly byThing = new Map<string, Map<string, LedgerRecord>>();
  readonly claims = new Map<string, number>();
  readonly files = new Map<string, string>();
  readonly modules = new Map<string, ReadonlyMap<string, string>>();
  readonly monitors = new Map<string, string>();
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
      case "claim_file":
      case "claim_timeouts":
      case "claim_module":
      case "claim_dragged":
        this.claims.set(first, (this.claims.get(first) ?? 0) + 1);
        break;
      case "restore_file":
      case "restore_timeouts":
      case "restore_module":
      case "restore_dragged":
        this.#release(name, first, second);
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
    else this.#entry(verb, words.slice(1));
  }

  /** A line of the table. The reader of `ipvsadm -Sn` gives names and flags their form. */
  #entry(verb: string, words: Words): void {
    const kind = ["-t", "-u", "-f"].find((flag) => words.includes(flag)) ?? "";
    const of = [kind, after(words, kind) ?? "", ...(words.includes("-6") ? ["-6"] : [])];
    const isService = /^-[AED]$/.test(verb);
    const flags = isService && verb !== "-D" ? words : [...of, "-s", "rr"];
    const server = without(words, ["-x", "-y"]);
    const weight = server.includes("-w") ? [] : ["-w", "1"];
    const lines = [["-A", ...flags], ...(isService ? [] : [["-a", ...server, ...weight]])];
    const [[id, read] = ["", undefined]] = parseIpvsTable(
      lines.map((line) => `${line.join(" ")}\n`).join(""),
    );
    if (!read) return;
    const known = this.table.get(id);
    if (verb === "-D") this.table.delete(id);
    else if (isService)
      this.table.set(id, { flags: read.flags, realServers: known?.realServers ?? new Map() });
    for (const [at, entry] of isService ? [] : read.realServers) {
      const limits = { upper: Number(after(words, "-x") ?? 0), lower: Number(after(words, "-y") ?? 0) };
      this.thresholds.delete(`${id}/${at}`);
      if (verb === "-d") known?.realServers.delete(at);
      else {
        known?.realServers.set(at, entry);
        if (limits.upper + limits.lower > 0) this.thresholds.set(`${id}/${at}`, limits);
      }
    }
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
      const name = `${lifetime} ${line}`;
      const same = this.byThing.get(record.thing) ?? new Map<string, LedgerRecord>();
      this.byThing.set(record.thing, same);
      for (const place of [this.records, same])
        if (verb === "record") place.set(name, record);
        else place.delete(name);
    }
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
