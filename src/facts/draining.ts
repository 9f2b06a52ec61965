import { show } from "../values/problem.js";

/** A real server that is on its way out: a line of /run/pulumi-lvs/draining, `SERVICE <tab> ADDRESS:PORT <tab> EPOCH`. */
export interface DrainingServer {
  /** `tcp://192.168.0.219:80` */
  readonly service: string;
  /** `192.168.10.11:80` */
  readonly server: string;
  /** Since when, in seconds since 1970. */
  readonly since: number;
  /** The line itself. */
  readonly line: string;
}

/** Reads the lines. Throws on one that is not of its form. */
export const parseDraining = (text: string): DrainingServer[] =>
  text
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [, service, server, since] = /^([!-~]+)\t([!-~]+)\t(\d{1,12})$/.exec(line) ?? [];
      if (!service || !server) throw new Error(`not a line of /run/pulumi-lvs/draining: ${show(line)}`);
      return { service, server, since: Number(since), line };
    });

/** A real server that went: a line of /run/pulumi-lvs/drained, `SERVICE <tab> ADDRESS:PORT <tab> SECONDS <tab> LEFT <tab> EPOCH`. */
export interface DrainedServer {
  readonly service: string;
  readonly server: string;
  /** How long it was waited for. */
  readonly seconds: number;
  /** How many connections it still had then. */
  readonly left: number;
  /** When it ended, in seconds since 1970. */
  readonly at: number;
}

/** Reads the lines; they are for people, so one that is none of them is passed over. */
export const parseDrained = (text: string): DrainedServer[] =>
  text.split("\n").flatMap((line) => {
    const [, service, server, ...rest] =
      /^([!-~]+)\t([!-~]+)\t(\d{1,6})\t(\d{1,10})\t(\d{1,12})$/.exec(line) ?? [];
    const [seconds = 0, left = 0, at = 0] = rest.map(Number);
    return service && server ? [{ service, server, seconds, left, at }] : [];
  });

/** Reads what `date +%s` prints. Throws where it is none. */
export function parseClock(text: string): number {
  if (!/^\d{1,12}\n$/.test(text)) throw new Error(`unexpected output ${show(text)}`);
  return Number(text);
}
