import { arpSuppression } from "../../../providers/arp-suppression.js";
import type { Definition } from "../../../providers/engine/define.js";
import { healthMonitor } from "../../../providers/health-monitor/index.js";
import { hostProbe } from "../../../providers/host-probe.js";
import { hostRoute } from "../../../providers/host-route.js";
import { ipForwarding } from "../../../providers/ip-forwarding.js";
import { ipvsTimeouts } from "../../../providers/ipvs-timeouts.js";
import { kernelModule } from "../../../providers/kernel-module.js";
import { poolDrain } from "../../../providers/pool-drain.js";
import { realServer } from "../../../providers/real-server/index.js";
import { serviceProbe } from "../../../providers/service-probe/index.js";
import { syncDaemon } from "../../../providers/sync-daemon.js";
import { sysctl } from "../../../providers/sysctl.js";
import { virtualAddress } from "../../../providers/virtual-address.js";
import { virtualService } from "../../../providers/virtual-service/index.js";
import { vrrpInstance } from "../../../providers/vrrp-instance/index.js";

/** Every kind of resource by the name of its file; providers/index.ts would bring Pulumi along. */
export const definitions: ReadonlyMap<string, Definition> = new Map(
  [
    arpSuppression,
    healthMonitor,
    hostProbe,
    hostRoute,
    ipForwarding,
    ipvsTimeouts,
    kernelModule,
    poolDrain,
    realServer,
    serviceProbe,
    syncDaemon,
    sysctl,
    virtualAddress,
    virtualService,
    vrrpInstance,
  ].map((definition) => [definition.kind.replace(/(?<!^)[A-Z]/g, (c) => `-${c}`).toLowerCase(), definition]),
);
