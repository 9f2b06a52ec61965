import { arpSuppression } from "./arp-suppression.js";
import { healthMonitor } from "./health-monitor.js";
import { hostProbe } from "./host-probe.js";
import { hostRoute } from "./host-route.js";
import { ipForwarding } from "./ip-forwarding.js";
import { ipvsTimeouts } from "./ipvs-timeouts.js";
import { kernelModule } from "./kernel-module.js";
import type { TestedKind } from "./kind.js";
import { poolDrain } from "./pool-drain.js";
import { realServer } from "./real-server.js";
import { serviceProbe } from "./service-probe.js";
import { syncDaemon } from "./sync-daemon.js";
import { sysctl } from "./sysctl.js";
import { virtualAddress } from "./virtual-address.js";
import { virtualService } from "./virtual-service.js";
import { vrrpInstance } from "./vrrp-instance.js";

/** Each kind of resource by the name of its file. */
export const kinds: Readonly<Record<string, TestedKind>> = {
  "arp-suppression": arpSuppression,
  "health-monitor": healthMonitor,
  "host-probe": hostProbe,
  "host-route": hostRoute,
  "ip-forwarding": ipForwarding,
  "ipvs-timeouts": ipvsTimeouts,
  "kernel-module": kernelModule,
  "pool-drain": poolDrain,
  "real-server": realServer,
  "service-probe": serviceProbe,
  "sync-daemon": syncDaemon,
  sysctl,
  "virtual-address": virtualAddress,
  "virtual-service": virtualService,
  "vrrp-instance": vrrpInstance,
};

/** Returns a part of each kind that has it. */
export const partOf = <Name extends keyof TestedKind>(
  part: Name,
): [string, NonNullable<TestedKind[Name]>][] =>
  Object.entries(kinds).flatMap(([name, kind]) => {
    const found = kind[part];
    return found === undefined ? [] : [[name, found]];
  });
