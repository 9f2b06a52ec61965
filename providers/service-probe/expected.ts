import { isIP } from "node:net";
import type { Connection } from "../../src/ssh/connection.js";

/** What a ServiceProbe asks and expects, every default filled in. */
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

/** The address that is asked; undefined where that is the host's to know. */
export function addressOf({ url, address }: Pick<Expected, "url" | "address">): string | undefined {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  return address ?? (isIP(host) ? host : undefined);
}

/** The port that is asked. */
export function portOf({ url }: Pick<Expected, "url">): number {
  const { port, protocol } = new URL(url);
  return Number(port || (protocol === "https:" ? 443 : 80));
}

/** Status codes that are right. */
export const statusOf = ({ url, status }: Pick<Expected, "url" | "status">): readonly number[] =>
  url.startsWith("tcp:") ? [0] : (status ?? [200]);
