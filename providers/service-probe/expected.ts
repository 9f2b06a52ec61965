import { isIP } from "node:net";
import type { Connection } from "../../src/ssh/connection.js";

/** The requests and the expected result of a ServiceProbe, with all defaults. */
export interface Expected {
  readonly url: string;
  readonly address: string | null;
  readonly requests: number;
  readonly timeout: number;
  readonly failures: number;
  readonly within: number;
  readonly status: readonly number[] | null;
  readonly contains: string | null;
  readonly spread: {
    readonly header: string | null;
    readonly servers: number;
    readonly shares: Readonly<Record<string, number>> | null;
  } | null;
  readonly arp: { readonly interface: string | null; readonly mac: string | null } | null;
  readonly director: Connection | null;
  readonly insecure: boolean;
}

/** Returns the address of the service, or undefined if the host resolves it. */
export function addressOf({ url, address }: Pick<Expected, "url" | "address">): string | undefined {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  return address ?? (isIP(host) ? host : undefined);
}

/** Returns the port of the service. */
export function portOf({ url }: Pick<Expected, "url">): number {
  const { port, protocol } = new URL(url);
  return Number(port || (protocol === "https:" ? 443 : 80));
}

/** Returns the accepted status codes. */
export const statusOf = ({ url, status }: Pick<Expected, "url" | "status">): readonly number[] =>
  url.startsWith("tcp:") ? [0] : (status ?? [200]);
