import { except, rule } from "../rule.js";
import { type Bag, hostOf, realServersOf, serviceNameOf } from "../view.js";

/** Without it, a real server answers ARP requests for the VIP, and clients reach it in place of the director. */
export const arpSuppression = rule<{ except: string[] }>({
  name: "arp-suppression",
  description: "Each LVS/DR real server depends on the ARP suppression of its host.",
  level: "mandatory",
  severity: "high",
  fields: { except: except("real servers, by address or by name,") },
  check({ resources }, { except }) {
    const silent = resources.filter(({ kind }) => kind === "ArpSuppression");
    const servers = resources.flatMap(realServersOf);
    const addresses = new Set(servers.map(({ props }) => props.address));
    return servers.flatMap((server) => {
      const { name, urn, props, needs, isLocalnode } = server;
      const { address, forwarding = "gatewaying" } = props;
      if (forwarding !== "gatewaying" || typeof address !== "string") return [];
      // ARP is of IPv4. The director itself is a server of its own, and has to answer for the VIP.
      if (address.includes(":") || /^127\./.test(address)) return [];
      if (isLocalnode || hostOf(server) === address) return [];
      if (except.includes(name) || except.includes(address)) return [];
      if (
        silent.some((one) => {
          const { host } = (one.props.connection ?? {}) as Bag;
          if (host === address) return true;
          // A name does not show whose it is. The address of another server, and the director's host, do.
          return needs.has(one.urn) && !addresses.has(host) && hostOf(one) !== hostOf(server);
        })
      )
        return [];
      return [
        {
          message: `${serviceNameOf(server) ?? name}: real server ${address} has no ARP suppression; declare ArpSuppression on its host, and let the real server depend on it`,
          urn,
        },
      ];
    });
  },
});
