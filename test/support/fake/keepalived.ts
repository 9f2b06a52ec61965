import { parseVrrp } from "../../../src/vrrp/instance.js";
import type { FakeHost } from "./fake-host.js";

/** What keepalived does with the addresses of one instance on several fake hosts. Its time is a call of `elect`. */
export class FakeKeepalived {
  /** Hosts that have given up by a fault since the last call. */
  readonly yielded = new Set<string>();

  constructor(
    readonly hosts: ReadonlyMap<string, FakeHost>,
    readonly name: string,
  ) {}

  /** Returns the hosts that have any address of the instance. */
  masters(): string[] {
    return [...this.hosts.keys()].filter((host) => this.#lines(host).some((line) => this.#has(host, line)));
  }

  elect(): void {
    const [master] = this.masters();
    const all = [...this.hosts.keys()].filter((host) => this.hosts.get(host)?.has("run/keepalived.pid"));
    const best = all.toSorted((a, b) => this.#priority(b) - this.#priority(a))[0];
    const next =
      best === undefined || master === undefined || this.yielded.has(master) || this.#settings(best)?.preempt
        ? best
        : master;
    this.yielded.clear();
    for (const host of this.hosts.keys()) {
      const lines = this.#lines(host);
      const fake = this.hosts.get(host) as FakeHost;
      const rest = fake.lines("addresses").filter((line) => !lines.includes(line));
      fake.write("addresses", [...rest, ...(host === next ? lines : []), ""].join("\n"));
    }
  }

  #settings(host: string) {
    return parseVrrp(
      this.hosts.get(host)?.read(`etc/keepalived/pulumi-lvs.d/${this.name}.conf`).trimEnd() ?? "",
    );
  }

  #priority(host: string): number {
    const file = `run/pulumi-lvs-hold-${this.name}`;
    const fake = this.hosts.get(host) as FakeHost;
    return Math.max(
      1,
      (this.#settings(host)?.priority ?? 0) + (fake.has(file) ? Number(fake.read(file)) : 0),
    );
  }

  #lines(host: string): string[] {
    return (this.#settings(host)?.addresses ?? []).map(
      ({ address, prefixLength, interface: device }) => `${device} ${address}/${prefixLength} - - -`,
    );
  }

  #has(host: string, line: string): boolean {
    return this.hosts.get(host)?.lines("addresses").includes(line) === true;
  }
}
