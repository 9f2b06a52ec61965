import { DrCluster, type DrClusterArgs, NatCluster, type NatClusterArgs } from "../../../index.js";
import { ArpSuppression, HostRoute, Sysctl, VirtualAddress } from "../../../providers/index.js";
import { declared, type Goal } from "./program.js";

const at = (host: string) => ({ connection: { host } });

const dr: DrClusterArgs = {
  director: { ...at("director"), interface: "eth0" },
  vips: [{ address: "192.168.0.210", label: "eth0:1", broadcast: "192.168.0.210" }],
  services: [
    { port: 80, scheduler: "rr" },
    { port: 443, scheduler: "rr" },
  ],
  realServers: [
    { name: "rs1", address: "192.168.0.221", ...at("rs1") },
    { name: "rs2", address: "192.168.0.222", weight: 2, ...at("rs2") },
  ],
  ipForwarding: true,
};

const nat: NatClusterArgs = {
  director: { ...at("director"), interface: "eth0", insideInterface: "eth1", dip: "192.168.10.10" },
  vips: [{ address: "192.168.0.219", prefixLength: 24, label: "eth0:1", broadcast: "192.168.0.255" }],
  services: [{ port: 80, scheduler: "rr", realServerPort: 8080 }],
  realServers: [
    { name: "rs1", address: "192.168.10.11", ...at("rs1") },
    { name: "rs2", address: "192.168.10.12", ...at("rs2") },
  ],
  returnRoutes: ["192.168.0.100"],
};

/** What stands beside the cluster. */
function beside(change: { memory: string; arpIgnore: number; left?: true }): void {
  new Sysctl("memory", { ...at("rs1"), name: "net.ipv4.tcp_rmem", value: change.memory });
  const inside = { interface: "eth1", all: false, arpIgnore: change.arpIgnore };
  new ArpSuppression("inside", { ...at("rs1"), ...inside });
  if (!change.left) return;
  new VirtualAddress("extra", { ...at("rs2"), interface: "eth1", address: "192.168.7.7" });
  new HostRoute("way", { ...at("director"), destination: "10.0.0.0/8", via: "192.168.0.1" });
}

export const drStack = (): Promise<Goal[]> => declared(() => new DrCluster("web", dr));
export const natStack = (): Promise<Goal[]> => declared(() => new NatCluster("web", nat));

/** The DR stack and what stands beside it, before and after a change of everything that can change at once. */
export const beforeMixed = (): Promise<Goal[]> =>
  declared(() => {
    new DrCluster("web", dr);
    beside({ memory: "4096 131072 4194304", arpIgnore: 1, left: true });
  });

export const afterMixed = (): Promise<Goal[]> =>
  declared(() => {
    const [http, https] = dr.services as [object, object];
    const [first, second] = dr.realServers as [
      NonNullable<DrClusterArgs["realServers"]>[number],
      { name: string },
    ];
    new DrCluster("web", {
      ...dr,
      vips: [...dr.vips, "192.168.0.211"],
      services: [{ ...http, scheduler: "wlc" }, https] as DrClusterArgs["services"],
      realServers: [
        { ...first, weight: 5 },
        // another address on the same machine answers, under another name: what stays there changes hands
        { ...second, name: "new", address: "192.168.0.223" },
      ],
    });
    beside({ memory: "4096 87380 6291456", arpIgnore: 2 });
  });

const draining = (realServers: NonNullable<DrClusterArgs["realServers"]>): Promise<Goal[]> =>
  declared(
    () =>
      new DrCluster("web", {
        ...dr,
        services: [{ port: 80, scheduler: "rr" }],
        realServers,
        hostRoutes: false,
        ipForwarding: false,
        drain: { timeout: 3, minimum: 1 },
      }),
  );

/** A stack whose servers drain, before and after both are replaced by another. */
export const beforeDrain = (): Promise<Goal[]> => draining(dr.realServers ?? []);
export const afterDrain = (): Promise<Goal[]> =>
  draining([{ name: "new", address: "192.168.0.223", ...at("rs2") }]);

const pair = (weight: number, ports: readonly number[], advertInterval: number): Promise<Goal[]> =>
  declared(
    () =>
      new DrCluster("web", {
        directors: [{ ...at("director"), interface: "eth0" }, at("rs1")],
        vrrp: { routerId: 51, advertInterval },
        sync: { mcastInterface: "eth1" },
        vips: ["192.168.0.210"],
        services: ports.map((port) => ({ port, scheduler: "rr" })),
        realServers: [{ name: "rs2", address: "192.168.0.222", weight, ...at("rs2") }],
      }),
  );

const pooled = (realServers: NonNullable<DrClusterArgs["realServers"]>): Promise<Goal[]> =>
  declared(
    () =>
      new DrCluster("web", {
        directors: [{ ...at("director"), interface: "eth0" }, at("rs1")],
        vrrp: { routerId: 51, advertInterval: 1 },
        sync: { mcastInterface: "eth1" },
        vips: ["192.168.0.210"],
        services: [{ port: 80, scheduler: "rr" }],
        pool: true,
        drain: { timeout: 3, minimum: 1 },
        realServers,
      }),
  );

/** A cluster with two directors and a pool, before and after a server that drains leaves it. */
export const beforePool = (): Promise<Goal[]> =>
  pooled([
    { name: "rs2", address: "192.168.0.222", ...at("rs2") },
    { name: "old", address: "192.168.0.223" },
  ]);
export const afterPool = (): Promise<Goal[]> =>
  pooled([{ name: "rs2", address: "192.168.0.222", weight: 5, ...at("rs2") }]);

/** A cluster with two directors, before and after a change, a new service and one less. */
export const beforePair = (): Promise<Goal[]> => pair(1, [80, 443], 1);
export const afterPair = (): Promise<Goal[]> => pair(5, [80, 8080], 2);
