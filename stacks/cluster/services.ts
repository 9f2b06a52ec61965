import type * as pulumi from "@pulumi/pulumi";
import {
  HealthMonitor,
  IpvsTimeouts,
  KernelModule,
  RealServer,
  SyncDaemon,
  Sysctl,
  VirtualService,
} from "../../providers/index.js";
import type { Conflict } from "../../src/values/conflicts.js";
import type { ServiceArgs } from "./args.js";
import { adoption } from "./component.js";
import type { DirectorArgs } from "./directors/args.js";
import { daemonsOf } from "./directors/model.js";
import { isTracked } from "./directors/vrrp.js";
import { healthOf } from "./health.js";
import { sysctls } from "./hosts.js";
import { entriesOf, poolsOf, reachedAt, type Server, shareOf } from "./model.js";
import { poolOf } from "./pool.js";
import { once } from "./shared.js";
import type { Site } from "./site.js";

const guard = ({ alongside }: DirectorArgs): { alongside?: Conflict[] } => (alongside ? { alongside } : {});

/**
 * Makes the module, the first resource on the director. If another program owns the table, this one is
 * refused.
 */
export const ipVs = (
  cluster: pulumi.ComponentResource,
  { director: { fields: of }, named, options }: Site,
  dependsOn: pulumi.Resource[],
): KernelModule =>
  new KernelModule(
    named("ip-vs"),
    { connection: of.connection, name: "ip_vs", ...guard(of) },
    options("ip-vs", { parent: cluster, dependsOn }),
  );

/** Makes the resources of the whole director. They are in force before the first connection. */
function directorWide(
  parent: pulumi.ComponentResource,
  { args, director, named, options }: Site,
  dependsOn: pulumi.Resource[],
): pulumi.Resource[] {
  const { fields: of } = director;
  const { connection, timeouts, syncDaemon } = of;
  const common = { connection, ...guard(of) };
  const opts = { parent, dependsOn };
  const daemon = (part: string, fields: NonNullable<DirectorArgs["syncDaemon"]>) =>
    once(
      SyncDaemon,
      [connection, fields.state],
      () => new SyncDaemon(named(part), { ...common, ...adoption(args), ...fields }, options(part, opts)),
    );
  return [
    ...(timeouts
      ? [new IpvsTimeouts(named("timeouts"), { ...common, ...timeouts }, options("timeouts", opts))]
      : []),
    ...(syncDaemon ? [daemon("sync-daemon", syncDaemon)] : []),
    ...daemonsOf(args, director).map((fields) => daemon(`sync-${fields.state}`, fields)),
    ...sysctls(of, { connection }, (part) => [named(`director-${part}`), options(`director-${part}`, opts)]),
  ];
}

/** A service on a director, with what belongs to it. */
export interface MadePool {
  readonly virtualService: VirtualService;
  readonly realServers: RealServer[];
  /** What real servers are part of: themselves, or the service that owns its pool. */
  readonly entries: pulumi.Resource[];
  readonly monitors: HealthMonitor[];
  readonly isPool: boolean;
  readonly isTracked: boolean;
}

/**
 * Makes the director's side, which is the same for every forwarding. The services come after the director is
 * `ready`, then the real servers that are ready. The VIP comes last, and is made by others. So no client comes in
 * before a server can answer. Deletion has the reverse order.
 */
export function services(
  cluster: pulumi.ComponentResource,
  site: Site,
  forwarding: "gatewaying" | "masquerading",
  ready: { director: pulumi.Resource[]; realServer(server: Server): pulumi.Resource[] },
  portOf: (service: ServiceArgs) => pulumi.Input<number>,
): MadePool[] {
  const { args, director, named, options } = site;
  const common = { connection: director.fields.connection, ...adoption(args) };
  const parent = cluster;
  const wide = directorWide(cluster, site, ready.director);
  const drainOf = (service: ServiceArgs) => (service.drain === undefined ? args.drain : service.drain);
  const isDrained = (service: ServiceArgs) =>
    drainOf(service) || Object.values(service.members ?? {}).some((member) => member?.drain);
  const template = "expire-quiescent-template";
  // Otherwise remembered clients would return to a quiesced server, also after checks and during maintenance.
  const forget = args.services.some(
    (service) => service.persistence && (isDrained(service) || service.health),
  )
    ? [
        new Sysctl(
          named(template),
          {
            connection: director.fields.connection,
            name: "net.ipv4.vs.expire_quiescent_template",
            value: "1",
          },
          options(template, { parent, dependsOn: ready.director }),
        ),
      ]
    : [];
  return poolsOf(args, director.index)
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
        named(label),
        {
          ...common,
          ...guard(director.fields),
          ...key,
          scheduler: service.scheduler,
          persistence: service.persistence,
          ...(isPool ? { realServers: poolOf(members) } : {}),
        } as never,
        options(label, { parent, dependsOn: [...ready.director, ...wide, ...forget, ...servers] }),
      );
      const realServers = (isPool ? [] : members).map(
        ({ member, address, port, fields }) =>
          new RealServer(
            named(`${label}-${member.name}`),
            {
              ...common,
              ...guard(director.fields),
              ...{ service: virtualService.id, address, port },
              ...fields,
            },
            options(`${label}-${member.name}`, { parent, dependsOn: ready.realServer(member) }),
          ),
      );
      const entries: pulumi.Resource[] = isPool ? [virtualService] : realServers;
      const { health } = service;
      // The monitor depends on all of them, so it restores removed servers before they are deleted.
      const monitors = health
        ? [
            new HealthMonitor(
              named(`${label}-health`),
              {
                ...common,
                ...guard(director.fields),
                service: virtualService.id,
                ...healthOf(health, forwarding),
              },
              options(`${label}-health`, { parent, dependsOn: entries }),
            ),
          ]
        : [];
      return { virtualService, realServers, entries, monitors, isPool, isTracked: isTracked(args, service) };
    });
}
