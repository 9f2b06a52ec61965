import { shellText } from "../shell/index.js";

/**
 * Shell functions for checks of the VIP on a real server (gatewaying). The VIP is the director's own address, so a packet to it
 * would stay at home. So packets from certain ports of the director's get a firewall mark, and a private service for that mark
 * has the real server alone behind it. The answer comes from the VIP, which the kernel takes from outside only with accept_local.
 * What was added, and how to take it back, is in a file for each check.
 */
export const passage = shellText("health/vip-path.sh");
