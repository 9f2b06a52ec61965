import { type ArpSuppressionArgs, arpSuppression } from "./arp-suppression.js";
import { resource } from "./dynamic.js";
import { type HostRouteArgs, hostRoute } from "./host-route.js";
import { type IpForwardingArgs, ipForwarding } from "./ip-forwarding.js";
import { type KernelModuleArgs, kernelModule } from "./kernel-module.js";
import { type RealServerArgs, realServer } from "./real-server.js";
import { type SysctlArgs, sysctl } from "./sysctl.js";
import { type VirtualAddressArgs, virtualAddress } from "./virtual-address.js";
import { type VirtualServiceArgs, virtualService } from "./virtual-service.js";

export class VirtualService extends resource<VirtualServiceArgs>(virtualService) {}
export class RealServer extends resource<RealServerArgs>(realServer) {}
export class VirtualAddress extends resource<VirtualAddressArgs>(virtualAddress) {}
export class HostRoute extends resource<HostRouteArgs>(hostRoute) {}
export class ArpSuppression extends resource<ArpSuppressionArgs>(arpSuppression) {}
export class IpForwarding extends resource<IpForwardingArgs>(ipForwarding) {}
export class Sysctl extends resource<SysctlArgs>(sysctl) {}
export class KernelModule extends resource<KernelModuleArgs>(kernelModule) {}
