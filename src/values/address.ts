import { isIP } from "node:net";
import { z } from "zod";
import { show } from "./problem.js";

export type Family = "ipv4" | "ipv6";

/** Returns the address family of a canonical address or CIDR text. */
export const familyOf = (address: string): Family => (address.includes(":") ? "ipv6" : "ipv4");

/** Returns the number of bits in an address of the family: 32 or 128. */
export const addressBits = (family: Family): number => (family === "ipv4" ? 32 : 128);

// The URL parser writes IPv6 as RFC 5952 wants it.
const canonical = (text: string): string =>
  isIP(text) === 6 ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text;

/** Returns whether a text is an IP address without a zone. */
export const isAddress = (text: string): boolean => isIP(text) !== 0 && !text.includes("%");

// What people write where an address stands.
const addressHint = (text: string): string => {
  const [head = "", tail, ...rest] = text.split("/");
  if (isAddress(head) && rest.length === 0 && /^\d{1,3}$/.test(tail ?? "")) return `; leave out /${tail}`;
  const [, six, four] = /^(?:\[([^\]]+)\](?::\d+)?|([0-9.]+):\d+)$/.exec(text) ?? [];
  if (isAddress(six ?? four ?? "")) return `; write ${six ?? four} alone`;
  const isName = /^[a-z][a-z0-9.-]*$/i.test(text) && /[.\d-]/.test(text);
  return isName ? "; write the address itself, because names are not resolved" : "";
};

/** Returns an address as canonical text, or undefined for any other text. */
export const parseAddress = (text = ""): string | undefined =>
  isAddress(text) ? canonical(text) : undefined;

/** An IPv4 or IPv6 address without zone, as canonical text: `192.168.0.219`, `2001:db8::1`. @internal */
export const ipAddress = z
  .string()
  .refine(isAddress, {
    error: ({ input }) => `${show(input)} is not an IP address${addressHint(String(input))}`,
  })
  .transform(canonical);

// The kernel refuses these for a host, or stores none.
const isHost = (address: string): boolean =>
  !/^(0\.0\.0\.0|::|22[4-9]\..*|23\d\..*|255\.255\.255\.255|ff..:.*)$/.test(address);

/** An address that one host can have: neither unspecified, multicast nor broadcast. @internal */
export const hostAddress = ipAddress.refine(isHost, {
  error: ({ input }) => `${show(input)} is not an address that a host can have`,
});

/** A TCP or UDP port, 1-65535. @internal */
export const port = z.number().int().min(1).max(65535);

/** A port, or 0 for every port. @internal */
export const portOrAny = z.number().int().min(0).max(65535);

/** Returns every bit of an address in canonical text, as `0` and `1`. */
function bitsOf(address: string): string {
  if (!address.includes(":"))
    return address
      .split(".")
      .map((part) => binary(Number(part), 8))
      .join("");
  const [head = [], tail = []] = address.split("::").map((half) => half.split(":").filter(Boolean));
  const zeros = Array<string>(8 - head.length - tail.length).fill("0");
  return [...head, ...zeros, ...tail].map((part) => binary(Number.parseInt(part, 16), 16)).join("");
}

/** Returns every byte of an address in canonical text: 4, or 16 for IPv6. */
export const bytesOf = (address: string): number[] =>
  (bitsOf(address).match(/.{8}/g) ?? []).map((bits) => Number.parseInt(bits, 2));

const binary = (value: number, digits: number): string => value.toString(2).padStart(digits, "0");

const cidrParts = (text: string): { address: string; bits: number } | undefined => {
  const [address = "", bits, ...rest] = text.split("/");
  if (!isAddress(address) || rest.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits)))
    return undefined;
  const most = isIP(address) === 6 ? 128 : 32;
  const n = bits === undefined ? most : Number(bits);
  return n <= most ? { address: canonical(address), bits: n } : undefined;
};

function hasHostBits(text: string): boolean {
  const parts = cidrParts(text);
  return parts !== undefined && bitsOf(parts.address).slice(parts.bits).includes("1");
}

/**
 * A destination of a route: `default`, an address, or a network such as `10.0.0.0/8`. The output has its
 * prefix. @internal
 */
export const destination = z
  .string()
  .refine((text) => text === "default" || cidrParts(text) !== undefined, {
    error: ({ input }) => `${show(input)} is not an address, a network such as 10.0.0.0/8 or "default"`,
    abort: true,
  })
  // The kernel refuses host bits in IPv4 and drops them in IPv6.
  .refine((text) => !hasHostBits(text), {
    error: ({ input }) => `${show(input)} is not a network: it has bits set beyond its prefix`,
  })
  .transform((text) => {
    if (text === "default") return text;
    const { address, bits } = cidrParts(text) as { address: string; bits: number };
    return bits === 0 ? (familyOf(address) === "ipv4" ? "default" : "::/0") : `${address}/${bits}`;
  });

const interfaceWords = /^(?![.@-])[A-Za-z0-9_.-]+(@[A-Za-z0-9_.-]+)?$/;

// ip(8) prints eth0@if5 for one end of a pair, and eth0.100@eth0 for a VLAN. The name ends before the @.
const bareInterface = (text: string): string => text.replace(/@.*$/, "");

/**
 * A network interface's name (`eth0`, `bond0.100`): at most 15 characters, no blanks or slashes. @internal
 */
export const interfaceName = z
  .string()
  .refine((text) => interfaceWords.test(text) && bareInterface(text).length <= 15, {
    error: ({ input }) =>
      interfaceWords.test(String(input))
        ? `${show(input)} is longer than the 15 characters that an interface's name may have`
        : `${show(input)} is not an interface name`,
  })
  .transform(bareInterface);

/** A label of an IPv4 address (ip-address(8), label): `eth0:1`. @internal */
export const addressLabel = z
  .string()
  .regex(/^[A-Za-z0-9_.@-]+(:[A-Za-z0-9_-]+)?$/, "is not a label such as eth0:1")
  .max(15);

/** Returns `address:port`, with brackets around IPv6. */
export const endpoint = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

/**
 * Parses `ADDRESS:PORT`. Returns the address in canonical text, because C libraries differ in how they print
 * IPv6.
 */
export function parseEndpoint(text = ""): { address: string; port: number } | undefined {
  const parts = /^(?:\[(.+)\]|([^[\]:]+)):(\d{1,5})$/.exec(text);
  const address = parseAddress(parts?.[1] ?? parts?.[2]);
  return parts && address !== undefined ? { address, port: Number(parts[3]) } : undefined;
}
