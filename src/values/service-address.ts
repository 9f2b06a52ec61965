import { z } from "zod";
import { endpoint, type Family, familyOf, parseAddress } from "./address.js";
import { show } from "./problem.js";

/** The identity of a virtual service on a director: ipvsadm(8) "service-address". */
export type ServiceAddress =
  | { readonly protocol: "tcp" | "udp"; readonly address: string; readonly port: number }
  | { readonly fwmark: number; readonly family: Family };

/** The fields that name a service: address and port, or a firewall mark. */
export interface ServiceFields {
  readonly protocol?: "tcp" | "udp" | undefined;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly fwmark?: number | undefined;
  readonly family?: Family | undefined;
}

/** Returns the service that the fields name, with their defaults. */
export const serviceOf = ({
  protocol = "tcp",
  address = "",
  port = 0,
  fwmark,
  family = "ipv4",
}: ServiceFields): ServiceAddress =>
  fwmark === undefined ? { protocol, address, port } : { fwmark, family };

/** Returns `tcp://192.168.0.219:80`, `udp://[2001:db8::1]:53`, `fwmark://10` or `fwmark://10/ipv6`. */
export function printService(service: ServiceAddress): string {
  if ("fwmark" in service) return `fwmark://${service.fwmark}${service.family === "ipv6" ? "/ipv6" : ""}`;
  return `${service.protocol}://${endpoint(service.address, service.port)}`;
}

/** Parses a text of `printService`. Returns undefined for any other text. */
export function parseService(text: string): ServiceAddress | undefined {
  const mark = /^fwmark:\/\/(\d{1,10})(\/ipv6)?$/.exec(text);
  if (mark) {
    const fwmark = Number(mark[1]);
    return fwmark >= 1 && fwmark <= maxFwmark ? { fwmark, family: mark[2] ? "ipv6" : "ipv4" } : undefined;
  }
  const parts = /^(tcp|udp):\/\/(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (!parts) return undefined;
  const address = parseAddress(parts[2] ?? parts[3]);
  const port = Number(parts[4]);
  if (address === undefined || port > 65535) return undefined;
  return { protocol: parts[1] as "tcp" | "udp", address, port };
}

/** Returns the service of a text that `serviceReference` has accepted. */
export const serviceNamed = (text: string): ServiceAddress => parseService(text) as ServiceAddress;

/**
 * The highest mark that can be restored from `ipvsadm --save`, which prints higher ones as negative numbers.
 */
export const maxFwmark = 2 ** 31 - 1;

/** Returns the family of the service, which is also that of its real servers. */
export const serviceFamily = (service: ServiceAddress): Family =>
  "fwmark" in service ? service.family : familyOf(service.address);

/** Returns the ipvsadm options that name the service. */
export function serviceFlags(service: ServiceAddress): string[] {
  if ("fwmark" in service)
    return ["-f", String(service.fwmark), ...(service.family === "ipv6" ? ["-6"] : [])];
  return [service.protocol === "tcp" ? "-t" : "-u", endpoint(service.address, service.port)];
}

/** Returns a service as the id of a VirtualService has it, without the host in front. */
export const withoutHost = (id: string): string => id.replace(/^.*\/(?=(tcp|udp|fwmark):\/\/)/, "");

/**
 * A reference to a virtual service: `tcp://…`, or a VirtualService's id, whose host part is dropped.
 * @internal
 */
export const serviceReference = z
  .string()
  .transform(withoutHost)
  .refine((text) => parseService(text) !== undefined, {
    error: ({ input }) =>
      `${show(input)} is not a virtual service such as tcp://192.168.0.219:80 or fwmark://10`,
  })
  .transform((text) => printService(serviceNamed(text)));
