import * as pulumi from "@pulumi/pulumi";
import {
  HealthMonitor,
  IpvsTimeouts,
  KernelModule,
  RealServer,
  SyncDaemon,
  Sysctl,
  VirtualAddress,
  VirtualService,
} from "../../providers/index.js";
import type { Rival } from "../../src/values/conflicts.js";
import { showPath } from "../../src/values/problem.js";
import {
  adoption,
  type ClusterArgs,
  type ClusterOutputs,
  checkSlowStart,
  type DirectorArgs,
  nameOf,
  type RealServerMember,
  type ServiceArgs,
  type VipArgs,
  vipOf,
} from "./cluster.js";
import { checksThroughVip, healthOf, onlyGatewaying } from "./health.js";

type VirtualServiceKey = Pick<ServiceArgs, "protocol" | "port" | "fwmark"> & {
  address?: pulumi.Input<string>;
};

const guard = ({ alongside }: DirectorArgs): { alongside?: Rival[] } => (alongside ? { alongside } : {});

/** Returns a member's share of connections. */
function sharesOf({ weight, upperThreshold, lowerThreshold }: RealServerMember) {
  return {
    ...(weight === undefined ? {} : { weight }),
    ...(upperThreshold === undefined ? {} : { upperThreshold }),
    ...(lowerThreshold === undefined ? {} : { lowerThreshold }),
  };
}

/**
 * Makes the module, the first resource on the director. If another program owns the table, this one is
 * refused.
 */
export const ipVs = (
  cluster: pulumi.ComponentResource,
  name: string,
  { director }: ClusterArgs,
  dependsOn: pulumi.Resource[],
): KernelModule =>
  new KernelModule(
    `${name}-ip-vs`,
    { connection: director.connection, name: "ip_vs", ...guard(director) },
    { parent: cluster, dependsOn },
  );

/** Makes the resources of the whole director. They are in force before the first connection. */
function directorWide(
  parent: pulumi.ComponentResource,
  name: string,
  args: ClusterArgs,
  dependsOn: pulumi.Resource[],
): pulumi.Resource[] {
  const { connection, timeouts, syncDaemon } = args.director;
  const common = { connection, ...guard(args.director) };
  const opts = { parent, dependsOn };
  return [
    ...(timeouts ? [new IpvsTimeouts(`${name}-timeouts`, { ...common, ...timeouts }, opts)] : []),
    ...(syncDaemon
      ? [new SyncDaemon(`${name}-sync-daemon`, { ...common, ...adoption(args), ...syncDaemon }, opts)]
      : []),
  ];
}

function refuseThroughVip(name: string, { services }: ClusterArgs): void {
  for (const [i, { health }] of services.entries()) {
    const [path] = health ? checksThroughVip(health) : [];
    if (path)
      throw new pulumi.RunError(
        `${name}: ${showPath(["services", i, "health", ...path])}: ${onlyGatewaying}`,
      );
  }
}

/**
 * Makes the director's side, which is the same for every forwarding. The services come after the director is
 * `ready`, then the real servers that are ready, and the VIP last. So no client comes in before a server can
 * answer. Deletion has the reverse order.
 */
export function director(
  cluster: pulumi.ComponentResource,
  name: string,
  args: ClusterArgs,
  forwarding: "gatewaying" | "masquerading",
  ready: { director: pulumi.Resource[]; realServer(member: RealServerMember): pulumi.Resource[] },
  portOf: (service: ServiceArgs) => number,
): ClusterOutputs & { vipResources: { vip: VipArgs; resource: VirtualAddress }[] } {
  if (forwarding === "masquerading") refuseThroughVip(name, args);
  const common = { connection: args.director.connection, ...adoption(args) };
  const parent = cluster;
  checkSlowStart(name, args);
  const wide = directorWide(cluster, name, args, ready.director);
  const keys = args.services.flatMap(
    (service, i): { label: string; key: VirtualServiceKey; service: ServiceArgs }[] => {
      const { protocol = "tcp", port, fwmark } = service;
      if (fwmark !== undefined) return [{ label: `fwmark-${fwmark}`, key: { fwmark }, service }];
      return args.vips.map(vipOf).map((vip) => ({
        label: `${protocol}-${nameOf(`vips of ${name}`, vip)}-${port ?? i}`,
        key: { protocol, address: vip.address, ...(port === undefined ? {} : { port }) },
        service,
      }));
    },
  );
  const drainOf = (service: ServiceArgs) => (service.drain === undefined ? args.drain : service.drain);
  // Otherwise remembered clients would return to a quiesced server, also after checks and during maintenance.
  const forget = args.services.some((service) => service.persistence && (drainOf(service) || service.health))
    ? [
        new Sysctl(
          `${name}-expire-quiescent-template`,
          {
            connection: args.director.connection,
            name: "net.ipv4.vs.expire_quiescent_template",
            value: "1",
          },
          { parent, dependsOn: ready.director },
        ),
      ]
    : [];
  const pools = keys.map(({ label, key, service }) => {
    const virtualService = new VirtualService(
      `${name}-${label}`,
      {
        ...common,
        ...guard(args.director),
        ...key,
        scheduler: service.scheduler,
        persistence: service.persistence,
      } as never,
      { parent, dependsOn: [...ready.director, ...wide, ...forget] },
    );
    const drain = drainOf(service);
    const realServers = args.realServers.map(
      (member) =>
        new RealServer(
          `${name}-${label}-${nameOf(`realServers of ${name}`, member)}`,
          {
            ...common,
            ...guard(args.director),
            service: virtualService.id,
            address: member.address,
            port: portOf(service),
            forwarding,
            ...sharesOf(member),
            ...(drain === undefined ? {} : { drain }),
          },
          { parent, dependsOn: ready.realServer(member) },
        ),
    );
    const { health } = service;
    // The monitor depends on all of them, so it restores removed servers before they are deleted.
    const monitors = health
      ? [
          new HealthMonitor(
            `${name}-${label}-health`,
            {
              ...common,
              ...guard(args.director),
              service: virtualService.id,
              ...healthOf(health, forwarding),
            },
            { parent, dependsOn: realServers },
          ),
        ]
      : [];
    return { virtualService, realServers, monitors };
  });
  const everything = pools.flatMap(({ virtualService, realServers, monitors }) => [
    virtualService,
    ...realServers,
    ...monitors,
  ]);
  const vipResources = args.vips.map(vipOf).map((vip) => ({
    vip,
    resource: new VirtualAddress(
      `${name}-vip-${nameOf(`vips of ${name}`, vip)}`,
      { ...common, interface: args.director.interface, ...vip },
      { parent, dependsOn: everything },
    ),
  }));
  return {
    vipResources,
    vips: pulumi.output(vipResources.map(({ resource }) => resource.address)),
    services: pulumi.output(pools.map(({ virtualService }) => virtualService.id)),
    health: pulumi
      .all(pools.flatMap(({ monitors }) => monitors.map(({ service, health }) => ({ service, health }))))
      .apply((all) => Object.fromEntries(all.map(({ service, health }) => [service, health ?? {}]))),
    drained: pulumi
      .all(pools.map(({ virtualService: { id, drained } }) => ({ id, drained })))
      .apply((all) => Object.fromEntries(all.map(({ id, drained }) => [id, drained ?? []]))),
    members: pulumi.output(
      pools.flatMap(({ realServers }) =>
        realServers.map(({ service, address, port, forwarding, weight }) => ({
          service,
          address,
          port,
          forwarding,
          weight,
        })),
      ),
    ),
  };
}
