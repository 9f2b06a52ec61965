import { type ArpSuppressionArgs, arpSuppression } from "./arp-suppression.js";
import { resource } from "./engine/resource-class.js";
import { type HealthMonitorArgs, type HealthMonitorState, healthMonitor } from "./health-monitor/index.js";
import { type HostProbeArgs, hostProbe } from "./host-probe.js";
import { type HostRouteArgs, hostRoute } from "./host-route.js";
import { type IpForwardingArgs, ipForwarding } from "./ip-forwarding.js";
import { type IpvsTimeoutsArgs, ipvsTimeouts } from "./ipvs-timeouts.js";
import { type KernelModuleArgs, kernelModule } from "./kernel-module.js";
import { type PoolDrainArgs, poolDrain } from "./pool-drain.js";
import type { RealServerOutputs, VirtualServiceOutputs } from "./real-server/drain-fields.js";
import { type RealServerArgs, realServer } from "./real-server/index.js";
import { type ServiceProbeArgs, serviceProbe } from "./service-probe/index.js";
import { type SyncDaemonArgs, syncDaemon } from "./sync-daemon.js";
import { type SysctlArgs, sysctl } from "./sysctl.js";
import { type VirtualAddressArgs, type VirtualAddressOutputs, virtualAddress } from "./virtual-address.js";
import { type VirtualServiceArgs, virtualService } from "./virtual-service/index.js";
import { type VrrpInstanceArgs, type VrrpInstanceOutputs, vrrpInstance } from "./vrrp-instance/index.js";

/**
 * A virtual service in the director's IPVS table: address and port, or a firewall mark, and a scheduler. The
 * scheduler chooses a real server for each new connection (ipvsadm(8), --add-service; kernel,
 * net/netfilter/ipvs).
 *
 * @example
 * const web = new lvs.VirtualService("web", {
 *   connection: { host: "director1" },
 *   address: "192.168.0.219",
 *   port: 80,
 *   scheduler: "wlc",
 *   persistence: { timeout: 600 },
 *   realServers: { "192.168.10.11:80": { weight: 2 }, "192.168.10.12:80": {} },
 * });
 */
export class VirtualService extends resource<VirtualServiceArgs, VirtualServiceOutputs>(virtualService) {}

/**
 * A real server behind a virtual service, in the director's IPVS table (ipvsadm(8), --add-server). Other
 * resources configure the real server itself: VirtualAddress and ArpSuppression for LVS/DR, HostRoute for
 * LVS/NAT.
 *
 * @example
 * new lvs.RealServer("web-1", {
 *   connection: { host: "director1" },
 *   service: "tcp://192.168.0.219:80",
 *   address: "192.168.10.11",
 *   port: 8080,
 *   forwarding: "masquerading",
 *   weight: 3,
 * });
 */
export class RealServer extends resource<RealServerArgs, RealServerOutputs>(realServer) {}

/**
 * The end of drains on one of several directors. A VirtualService with `drainLater` only stops new clients of servers
 * that are taken out of its pool. When all directors have done so, each PoolDrain waits and removes them. It comes
 * after the services of all directors.
 *
 * @example
 * const connection = { host: "director2" };
 * const drain = { timeout: 600 };
 * const web = new lvs.VirtualService("web", {
 *   connection,
 *   address: "192.168.0.219",
 *   port: 80,
 *   realServers: { "192.168.0.221:80": { drain } },
 *   drainLater: true,
 * });
 * new lvs.PoolDrain("web-drain", { connection, service: web.id, realServers: { "192.168.0.221:80": drain } });
 */
export class PoolDrain extends resource<PoolDrainArgs>(poolDrain) {}

/**
 * Checks the real servers of a virtual service by an agent on the director, which needs only curl. The agent
 * removes servers that are down and adds them again when they are up. Meanwhile a sorry server may answer.
 * Its changes do not count as drift.
 *
 * @example
 * new lvs.HealthMonitor("web-health", {
 *   connection: { host: "director1" },
 *   service: "tcp://192.168.0.219:80",
 *   check: { path: "/.health.html", body: "OK" },
 *   sorryServer: { address: "192.168.0.5" },
 * });
 */
export class HealthMonitor extends resource<HealthMonitorArgs, HealthMonitorState>(healthMonitor) {}

/**
 * An address on an interface, such as the VIP on a director's `eth0` or on a real server's `lo`
 * (ip-address(8)). Gratuitous ARP (arping(8)) or a neighbour advertisement announces it.
 *
 * @example
 * new lvs.VirtualAddress("vip", {
 *   connection: { host: "director1" },
 *   interface: "eth0",
 *   address: "192.168.0.219",
 *   label: "eth0:1",
 * });
 */
export class VirtualAddress extends resource<VirtualAddressArgs, VirtualAddressOutputs>(virtualAddress) {}

/**
 * A route in a table of a host (ip-route(8)), such as a real server's way back through the director in
 * LVS/NAT.
 *
 * @example
 * new lvs.HostRoute("web-1-back", {
 *   connection: { host: "web1" },
 *   destination: "10.0.0.0/8",
 *   via: "192.168.10.10",
 * });
 */
export class HostRoute extends resource<HostRouteArgs>(hostRoute) {}

/**
 * Stops a real server from answering ARP for its VIP in LVS/DR (kernel, ip-sysctl: arp_ignore, arp_announce).
 * It must be in force before the VIP exists. Deletion restores the host's former values.
 *
 * @example
 * const silence = new lvs.ArpSuppression("web-1-arp", { connection: { host: "web1" } });
 * new lvs.VirtualAddress(
 *   "web-1-vip",
 *   { connection: { host: "web1" }, interface: "lo", address: "192.168.0.210", label: "lo:0" },
 *   { dependsOn: silence },
 * );
 */
export class ArpSuppression extends resource<ArpSuppressionArgs>(arpSuppression) {}

/**
 * Lets a host forward packets for others, as an LVS/NAT director must. Also sets whether it sends ICMP
 * redirects (kernel, ip-sysctl: ip_forward, send_redirects). Deletion restores the host's former values.
 *
 * @example
 * new lvs.IpForwarding("forwarding", {
 *   connection: { host: "director1" },
 *   sendRedirects: false,
 *   interfaces: ["eth0", "eth1"],
 * });
 */
export class IpForwarding extends resource<IpForwardingArgs>(ipForwarding) {}

/**
 * Any other sysctl (sysctl(8)), such as those of IPVS (kernel, ipvs-sysctl), which exist once `ip_vs` is
 * loaded. Deletion restores the host's former value.
 *
 * @example
 * const ipVs = new lvs.KernelModule("ip-vs", { connection: { host: "director1" }, name: "ip_vs" });
 * new lvs.Sysctl(
 *   "expire-nodest-conn",
 *   { connection: { host: "director1" }, name: "net.ipv4.vs.expire_nodest_conn", value: "1" },
 *   { dependsOn: ipVs },
 * );
 */
export class Sysctl extends resource<SysctlArgs>(sysctl) {}

/**
 * A kernel module that is loaded (modprobe(8)). Deletion unloads it only if it was not loaded before and is
 * not in use.
 *
 * @example
 * new lvs.KernelModule("ip-vs", {
 *   connection: { host: "director1" },
 *   name: "ip_vs",
 *   options: { conn_tab_bits: "15" },
 * });
 */
export class KernelModule extends resource<KernelModuleArgs>(kernelModule) {}

/**
 * A check that a host runs against a service when the resource is created or changed. It goes through the VIP
 * as clients do, and checks replies, their status, their senders, and who answers ARP for the VIP. The update
 * fails if the result is not as expected. Nothing of it stays on a host.
 *
 * @example
 * new lvs.ServiceProbe("web-serves", {
 *   connection: { host: "client1" },
 *   url: "http://192.168.0.219/",
 *   spread: { servers: 2 },
 *   arp: true,
 *   director: { host: "director1" },
 * });
 */
export class ServiceProbe extends resource<ServiceProbeArgs>(serviceProbe) {}

/**
 * Checks that a host answers, when the resource is created or its `triggers` change. If it does not answer, resources
 * that depend on this one are not changed. Nothing of it is on a host.
 *
 * @example
 * const weight = 3;
 * const connection = { host: "director1" };
 * const [first, second] = ["director1", "director2"].map(
 *   (host) => new lvs.HostProbe(`${host}-probe`, { connection: { host }, triggers: weight }),
 * );
 * const web = { service: "tcp://192.168.0.219:80", address: "192.168.10.11", port: 80 };
 * new lvs.RealServer("web-1", { connection, ...web, weight }, { dependsOn: [first, second] });
 */
export class HostProbe extends resource<HostProbeArgs>(hostProbe) {}

/**
 * Seconds that a director remembers idle connections (ipvsadm(8), --set). Deletion restores the former
 * values.
 *
 * @example
 * new lvs.IpvsTimeouts("timeouts", { connection: { host: "director1" }, tcp: 7200, udp: 30 });
 */
export class IpvsTimeouts extends resource<IpvsTimeoutsArgs>(ipvsTimeouts) {}

/**
 * The daemon that copies a director's connections to another one, so that they outlive the director
 * (ipvsadm(8), --start-daemon). The services must be the same on both.
 *
 * @example
 * new lvs.SyncDaemon("send", { connection: { host: "director1" }, state: "master", mcastInterface: "eth1", syncid: 7 });
 * new lvs.SyncDaemon("receive", { connection: { host: "director2" }, state: "backup", mcastInterface: "eth1", syncid: 7 });
 */
export class SyncDaemon extends resource<SyncDaemonArgs>(syncDaemon) {}

/**
 * Addresses that move between directors by VRRP (RFC 5798), by keepalived on each of them. The director with the
 * highest priority has them, and another one takes over when it fails.
 *
 * @example
 * const [first, second] = ["director1", "director2"].map(
 *   (host, i) =>
 *     new lvs.VrrpInstance(`vip-${host}`, {
 *       connection: { host },
 *       interface: "eth0",
 *       routerId: 51,
 *       priority: 150 - 50 * i,
 *       addresses: [{ address: "192.168.0.219" }],
 *     }),
 * );
 */
export class VrrpInstance extends resource<VrrpInstanceArgs, VrrpInstanceOutputs>(vrrpInstance) {}
