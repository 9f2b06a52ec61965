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
import type { ServiceArgs } from "./args.js";
import type { DirectorArgs } from "./directors/args.js";
import { copiesConnections, daemonsOf } from "./directors/model.js";
import { isTracked } from "./directors/vrrp.js";
import { sysctls } from "./hosts.js";
import { drainOf, entriesOf, poolsOf, reachedAt, type Server, serverFields } from "./model.js";
import { once } from "./once.js";
import { drainsOf, type PoolDrains, poolOf } from "./pool.js";
import type { DirectorScope } from "./scope.js";
import { sorryServerOf } from "./sorry-server.js";

/**
 * Makes the module, the first resource on the director. If another program owns the table, this one is
 * refused.
 */
export const ipVs = ({ director, make }: DirectorScope, dependsOn: pulumi.Resource[]): KernelModule =>
  make(KernelModule, "ip-vs", { name: "ip_vs", alongside: director.fields.alongside }, dependsOn);

/** Makes the resources of the whole director. They are in force before the first connection. */
function directorWide(
  { args, director, make }: DirectorScope,
  dependsOn: pulumi.Resource[],
): pulumi.Resource[] {
  const { connection, alongside, timeouts, syncDaemon } = director.fields;
  const daemon = (part: string, fields: NonNullable<DirectorArgs["syncDaemon"]>) =>
    once(SyncDaemon, [connection, fields.state], () =>
      make(SyncDaemon, part, { alongside, adopt: args.adopt, ...fields }, dependsOn),
    );
  return [
    ...(timeouts ? [make(IpvsTimeouts, "timeouts", { alongside, ...timeouts }, dependsOn)] : []),
    ...(syncDaemon ? [daemon("sync-daemon", syncDaemon)] : []),
    ...daemonsOf(args, director).map((fields) => daemon(`sync-${fields.state}`, fields)),
    ...sysctls(director.fields, (part, fields) => make(Sysctl, `director-${part}`, fields, dependsOn)),
  ];
}

/** A service on a director, with what belongs to it. */
export interface MadePool {
  readonly virtualService: VirtualService;
  readonly realServers: RealServer[];
  /** What real servers are part of: themselves, or the service that owns its pool. */
  readonly members: pulumi.Resource[];
  readonly monitors: HealthMonitor[];
  readonly isPool: boolean;
  /** The drains that PoolDrains end, because they come after the services of all directors. */
  readonly drains: PoolDrains | undefined;
  readonly isTracked: boolean;
}

/**
 * Makes the director's side, which is the same for every forwarding. The services come after the director is
 * `ready`, then the real servers that are ready. The VIP comes last, and is made by others. So no client comes in
 * before a server can answer. Deletion has the reverse order.
 */
export function services(
  scope: DirectorScope,
  forwarding: "gatewaying" | "masquerading",
  ready: { director: pulumi.Resource[]; realServer(server: Server): pulumi.Resource[] },
): MadePool[] {
  const { args, director, make } = scope;
  const common = { adopt: args.adopt, alongside: director.fields.alongside };
  const wide = directorWide(scope, ready.director);
  const isDrained = (service: ServiceArgs) =>
    [drainOf(args, service), ...Object.values(service.members ?? {}).map((member) => member?.drain)].some(
      Boolean,
    );
  // Otherwise remembered clients would return to a quiesced server, also after checks and during maintenance.
  const expireTemplates = args.services.some(
    (service) => service.persistence && (isDrained(service) || service.health),
  )
    ? [
        make(
          Sysctl,
          "expire-quiescent-template",
          { name: "net.ipv4.vs.expire_quiescent_template", value: "1" },
          ready.director,
        ),
      ]
    : [];
  return poolsOf(args, director.index)
    .flatMap(entriesOf)
    .map(({ label, key, pool }) => {
      const { service } = pool;
      const members = pool.members.map((member) => {
        const { port, fields } = serverFields(args, pool, member);
        return { member, address: reachedAt(member, key), port, fields: { forwarding, ...fields } };
      });
      const isPool = service.pool ?? args.pool ?? false;
      const realServers = isPool ? poolOf(members) : undefined;
      const drainLater = realServers !== undefined && copiesConnections(args);
      const servers = isPool ? members.flatMap(({ member }) => ready.realServer(member)) : [];
      const virtualService = make(
        VirtualService,
        label,
        {
          ...common,
          ...key,
          scheduler: service.scheduler,
          schedulerFlags: service.schedulerFlags,
          persistence: service.persistence,
          realServers,
          ...(drainLater ? { drainLater } : {}),
        } as never,
        [...ready.director, ...wide, ...expireTemplates, ...servers],
      );
      const single = (isPool ? [] : members).map(({ member, address, port, fields }) =>
        make(
          RealServer,
          `${label}-${member.name}`,
          { ...common, service: virtualService.id, address, port, ...fields },
          ready.realServer(member),
        ),
      );
      const made: pulumi.Resource[] = isPool ? [virtualService] : single;
      const { health } = service;
      // The monitor depends on all of them, so it restores removed servers before they are deleted.
      const monitors = health
        ? [
            make(
              HealthMonitor,
              `${label}-health`,
              { ...common, service: virtualService.id, ...health, ...sorryServerOf(health, forwarding) },
              made,
            ),
          ]
        : [];
      return {
        ...{ virtualService, realServers: single, members: made, monitors, isPool },
        drains: drainLater ? { label: `${label}-drain`, realServers: drainsOf(realServers) } : undefined,
        isTracked: isTracked(args, service),
      };
    });
}
