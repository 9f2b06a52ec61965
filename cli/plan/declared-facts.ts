import type { Connections } from "../../src/facts/connections.js";
import type { DrainedServer, DrainingServer } from "../../src/facts/draining.js";
import { Facts } from "../../src/facts/facts.js";
import type { Health, MonitorState, Reasons } from "../../src/facts/health.js";
import type { AddressEntry, Link, RouteEntry } from "../../src/facts/ip-lists.js";
import type { Daemon, Timeouts } from "../../src/facts/ipvs-lists.js";
import type { IpvsTable, ThresholdTable } from "../../src/facts/ipvs-table.js";
import type { Ledger, LedgerRecord } from "../../src/facts/ledger.js";
import type { VrrpFile } from "../../src/facts/vrrp.js";
import type { Running } from "../../src/values/conflicts.js";
import { sysctlPath } from "../../src/values/sysctl-name.js";
import type { DeclaredHost } from "./declared-host.js";

/** Routes by which any address is the host's own, so that a service counts as reached. */
const everywhere = (family: "4" | "6"): RouteEntry[] =>
  (family === "4" ? ["0.0.0.0/1", "128.0.0.0/1"] : ["::/1", "8000::/1"]).map((dst) => ({
    ...{ dst, type: "local", metric: 0 },
  }));

/** The facts of a host as far as they are declared. Nothing is read. */
export class DeclaredFacts extends Facts {
  readonly #host: DeclaredHost;

  constructor(host: DeclaredHost) {
    super({ get: () => undefined });
    this.#host = host;
  }

  override ipvs(): IpvsTable {
    return this.#host.table;
  }

  override thresholds(): ThresholdTable {
    return this.#host.thresholds;
  }

  override timeouts(): Timeouts | undefined {
    return this.#host.timeouts;
  }

  override daemons(): readonly Daemon[] {
    return this.#host.daemons;
  }

  // A monitor may have changed the table since. Only the host knows.
  override health(): Health {
    return new Map();
  }

  override reasons(): Reasons {
    return new Map();
  }

  override monitor(file: string): MonitorState {
    return { agent: this.#host.agent, text: this.#host.monitors.get(file) };
  }

  override vrrp(name: string): VrrpFile {
    return this.#host.vrrp.get(name);
  }

  override addresses(): AddressEntry[] {
    return this.#host.addresses;
  }

  // Interfaces are not declared.
  override links(): Link[] {
    return [];
  }

  override routes(family: "4" | "6", table: string): RouteEntry[] {
    return table === "local" ? everywhere(family) : (this.#host.routes.get(`${family}:${table}`) ?? []);
  }

  override sysctl(name: string): string | undefined {
    return this.#host.files.get(`/proc/sys/${sysctlPath(name)}`);
  }

  override isFound(claim: string): boolean {
    return (this.#host.claims.get(claim) ?? 0) > 0;
  }

  override ledger(): Ledger {
    const { records, byThing, byParent } = this.#host;
    return {
      get records(): LedgerRecord[] {
        return [...records.values()];
      },
      of: (thing) => [...(byThing.get(thing)?.values() ?? [])],
      below: (thing) => [...(byParent.get(thing)?.values() ?? [])],
      hasOwner: (owner) => [...records.values()].some((one) => one.owner === owner),
      malformed: [],
      isRestored: true,
    };
  }

  override connections(): Connections {
    return new Map();
  }

  override draining(): readonly DrainingServer[] {
    return this.#host.draining;
  }

  override drained(): readonly DrainedServer[] {
    return [];
  }

  override clock(): number {
    return 0;
  }

  override conflicts(): Running[] {
    return [];
  }

  override module(name: string): ReadonlyMap<string, string> | undefined {
    const loaded = this.#host.modules.get(name);
    const folder = `/sys/module/${name}/parameters/`;
    return (
      loaded &&
      new Map([...loaded].map(([option, value]) => [option, this.#host.files.get(folder + option) ?? value]))
    );
  }
}
