import { endpoint, hostAddress } from "../../src/values/address.js";
import { type Check, checkProblems } from "../../src/values/health-check.js";
import { type Problem, show } from "../../src/values/problem.js";
import { type ServiceAddress, serviceFamily } from "../../src/values/service-address.js";
import { announceProblems } from "./announce.js";
import { type SorryServer, sorryProblems } from "./sorry-server.js";

/** The fields of a monitor that rules cross. */
interface Fields {
  readonly check: Check;
  readonly servers: Readonly<Record<string, Check>>;
  readonly interval: number;
  readonly connectTimeout: number;
  readonly timeout?: number | undefined;
  readonly sorryServer: SorryServer | null;
  readonly quorum: { readonly weight: number; readonly hysteresis: number };
  readonly announce: { readonly address?: string | undefined } | null;
}

/**
 * Returns a real server as the host's files name it, `192.168.10.11:80`. Returns undefined for any other
 * text. @internal
 */
export function serverOf(text: string): string | undefined {
  const [, six, four, digits] = /^(?:\[([^\]]+)\]|([0-9.]+)):(0|[1-9]\d{0,4})$/.exec(text) ?? [];
  const address = hostAddress.safeParse(six ?? four);
  if (!address.success || (six === undefined) === address.data.includes(":")) return undefined;
  return Number(digits) > 65535 ? undefined : endpoint(address.data, Number(digits));
}

const placeOf = (server: string): string => `servers[${show(server)}]`;

/** Returns mistakes of a monitor that no single field shows. @internal */
export function validateMonitor(
  of: ServiceAddress,
  { check, servers, interval, connectTimeout, timeout, sorryServer, quorum, announce }: Fields,
): Problem[] {
  const checks: [string, Check][] = [
    ["check", check],
    ...Object.entries(servers).map(([server, other]): [string, Check] => [
      placeOf(server),
      { ...(other.type === undefined || other.type === check.type ? check : {}), ...other },
    ]),
  ];
  return [
    // The default check uses HTTP, to which a UDP service does not answer: it would remove all servers.
    ...("protocol" in of && of.protocol === "udp" && check.type === undefined
      ? [
          {
            path: "check.type",
            reason: "is missing: name the check of a UDP service: dns, command, tcp, http or https",
          },
        ]
      : []),
    ...checks.flatMap(([at, one]) =>
      checkProblems(one).map(({ path, reason }) => ({ path: `${at}.${path}`, reason })),
    ),
    ...checks.flatMap(([at, { through, vip }]) =>
      through === "vip" && "fwmark" in of && vip === undefined
        ? [{ path: `${at}.vip`, reason: "is missing: a firewall mark names no VIP" }]
        : through === "vip" && serviceFamily(of) === "ipv6"
          ? [{ path: `${at}.through`, reason: "vip is for IPv4" }]
          : [],
    ),
    ...Object.keys(servers)
      .filter((server) => serverOf(server) === undefined)
      .map((server) => ({
        path: placeOf(server),
        reason: "is not an ADDRESS:PORT such as 192.168.10.11:80 or [2001:db8::1]:80",
      })),
    ...Object.keys(servers)
      .filter(
        (server, i, all) =>
          serverOf(server) !== undefined && all.findIndex((one) => serverOf(one) === serverOf(server)) < i,
      )
      .map((server) => ({ path: placeOf(server), reason: "is named twice" })),
    ...(timeout !== undefined && timeout > interval
      ? [{ path: "timeout", reason: `${timeout} is above the interval of ${interval}` }]
      : []),
    ...(connectTimeout > (timeout ?? Math.min(3, interval))
      ? [{ path: "connectTimeout", reason: `${connectTimeout} is above the timeout` }]
      : []),
    ...(quorum.weight > 1 && !sorryServer
      ? [{ path: "quorum.weight", reason: "needs a sorryServer: no server would serve below it" }]
      : []),
    ...(quorum.hysteresis >= quorum.weight
      ? [
          {
            path: "quorum.hysteresis",
            reason: `${quorum.hysteresis} is not below the weight of ${quorum.weight}`,
          },
        ]
      : []),
    ...(sorryServer ? sorryProblems(of, sorryServer) : []),
    ...(announce ? announceProblems(of, announce.address) : []),
  ];
}
