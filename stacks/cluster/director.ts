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
import type { Conflict } from "../../src/values/conflicts.js";
import type { ClusterArgs, ClusterChildren, ClusterOutputs, DirectorArgs, ServiceArgs } from "./cluster.js";
import { adoption } from "./component.js";
import { healthOf } from "./health.js";
import { sysctls } from "./hosts.js";
import { entriesOf, poolsOf, reachedAt, type Server, shareOf, type Vip, vipsOf } from "./model.js";
import { membersOf, poolOf } from "./pool.js";
import { once } from "./shared.js";

const guard = ({ alongside }: DirectorArgs): { alongside?: Conflict[] } => (alongside ? { alongside } : {});

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
      ? [
          once(
            SyncDaemon,
            [connection, syncDaemon.state],
            () =>
              new SyncDaemon(`${name}-sync-daemon`, { ...common, ...adoption(args), ...syncDaemon }, opts),
          ),
        ]
      : []),
    ...sysctls(parent, `${name}-director`, args.director, { connection }, dependsOn),
  ];
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
  ready: { director: pulumi.Resource[]; realServer(server: Server): pulumi.Resource[] },
  portOf: (service: ServiceArgs) => pulumi.Input<number>,
): ClusterOutputs &
  ClusterChildren & { entries: pulumi.Resource[]; vipResources: { vip: Vip; resource: VirtualAddress }[] } {
  const common = { connection: args.director.connection, ...adoption(args) };
  const parent = cluster;
  const wide = directorWide(cluster, name, args, ready.director);
  const drainOf = (service: ServiceArgs) => (service.drain === undefined ? args.drain : service.drain);
  const isDrained = (service: ServiceArgs) =>
    drainOf(service) || Object.values(service.members ?? {}).some((member) => member?.drain);
  // Otherwise remembered clients would return to a quiesced server, also after checks and during maintenance.
  const forget = args.services.some(
    (service) => service.persistence && (isDrained(service) || service.health),
  )
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
  const pools = poolsOf(args)
    .flatMap(entriesOf)
    .map(({ label, key, pool }) => {
      const { service } = pool;
      const members = pool.members.map((member) => {
        const { drain = drainOf(service), port = portOf(service) } = member.own;
        const fields = { forwarding, ...shareOf(member), ...(drain === undefined ? {} : { drain }) };
        return { member, address: reachedAt(member, key), port, fields };
      });
      const isPool = service.pool ?? args.pool ?? false;
      const servers = isPool ? members.flatMap(({ member }) => ready.realServer(member)) : [];
      const virtualService = new VirtualService(
        `${name}-${label}`,
        {
          ...common,
          ...guard(args.director),
          ...key,
          scheduler: service.scheduler,
          persistence: service.persistence,
          ...(isPool ? { realServers: poolOf(members) } : {}),
        } as never,
        { parent, dependsOn: [...ready.director, ...wide, ...forget, ...servers] },
      );
      const realServers = (isPool ? [] : members).map(
        ({ member, address, port, fields }) =>
          new RealServer(
            `${name}-${label}-${member.name}`,
            {
              ...common,
              ...guard(args.director),
              ...{ service: virtualService.id, address, port },
              ...fields,
            },
            { parent, dependsOn: ready.realServer(member) },
          ),
      );
      const entries: pulumi.Resource[] = isPool ? [virtualService] : realServers;
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
              { parent, dependsOn: entries },
            ),
          ]
        : [];
      return { virtualService, realServers, entries, monitors, isPool };
    });
  const everything = pools.flatMap(({ virtualService, realServers, monitors }) => [
    virtualService,
    ...realServers,
    ...monitors,
  ]);
  const vipResources = vipsOf(args).map((vip) => {
    const { name: _, ...details } = vip.vip;
    const { connection, interface: device } = args.director;
    const make = () =>
      new VirtualAddress(
        `${name}-vip-${vip.name}`,
        { ...common, interface: device, ...details },
        { parent, dependsOn: everything },
      );
    return { vip, resource: once(VirtualAddress, [connection, device, details.address], make) };
  });
  return {
    vipResources,
    entries: pools.flatMap(({ entries }) => entries),
    virtualServices: pools.map(({ virtualService }) => virtualService),
    realServers: pools.flatMap(({ realServers }) => realServers),
    vips: pulumi.output(vipResources.map(({ resource }) => resource.address)),
    services: pulumi.output(pools.map(({ virtualService }) => virtualService.id)),
    health: pulumi
      .all(pools.flatMap(({ monitors }) => monitors.map(({ service, health }) => ({ service, health }))))
      .apply((all) => Object.fromEntries(all.map(({ service, health }) => [service, health ?? {}]))),
    drained: pulumi
      .all(pools.map(({ virtualService: { id, drained } }) => ({ id, drained })))
      .apply((all) => Object.fromEntries(all.map(({ id, drained }) => [id, drained ?? []]))),
    members: pulumi
      .all(
        pools.map(({ virtualService, realServers, isPool }) =>
          isPool
            ? membersOf(virtualService)
            : pulumi.output(
                realServers.map(({ service, address, port, forwarding, weight }) => ({
                  ...{ service, address, port, forwarding, weight },
                })),
              ),
        ),
      )
      .apply((all) => all.flat()),
  };
}
