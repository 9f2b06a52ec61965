import { show } from "../values/problem.js";
import { fact } from "./fact.js";

/**
 * A real server that drains: a line of /run/pulumi-lvs/draining, `SERVICE <tab> ADDRESS:PORT <tab> EPOCH`.
 */
export interface DrainingServer {
  /** `tcp://192.168.0.219:80` */
  readonly service: string;
  /** `192.168.10.11:80` */
  readonly server: string;
  /** Time when the drain began, in seconds since 1970. */
  readonly since: number;
  /** The line itself. */
  readonly line: string;
}

/** Reads the lines. Throws on a line of another form. */
const parseDraining = (text: string): DrainingServer[] =>
  text
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [, service, server, since] = /^([!-~]+)\t([!-~]+)\t(\d{1,12})$/.exec(line) ?? [];
      if (!service || !server) throw new Error(`not a line of /run/pulumi-lvs/draining: ${show(line)}`);
      return { service, server, since: Number(since), line };
    });

/**
 * A completed drain: a line of /run/pulumi-lvs/drained, `SERVICE <tab> ADDRESS:PORT <tab> SECONDS <tab> LEFT
 * <tab> EPOCH`.
 */
export interface DrainedServer {
  readonly service: string;
  readonly server: string;
  /** Duration of the drain in seconds. */
  readonly seconds: number;
  /** Number of connections that were left at its end. */
  readonly left: number;
  /** Time when it ended, in seconds since 1970. */
  readonly at: number;
}

/** Reads the lines. They are for people, so a line of another form is ignored. */
const parseDrained = (text: string): DrainedServer[] =>
  text.split("\n").flatMap((line) => {
    const [, service, server, ...rest] =
      /^([!-~]+)\t([!-~]+)\t(\d{1,6})\t(\d{1,10})\t(\d{1,12})$/.exec(line) ?? [];
    const [seconds = 0, left = 0, at = 0] = rest.map(Number);
    return service && server ? [{ service, server, seconds, left, at }] : [];
  });

/** Reads the output of `date +%s`. Throws on any other text. */
function parseClock(text: string): number {
  if (!/^\d{1,12}\n$/.test(text)) throw new Error(`unexpected output ${show(text)}`);
  return Number(text);
}

/** The real servers that drain. */
export const draining = fact({
  name: "draining",
  parse: parseDraining,
  shown: "/run/pulumi-lvs/draining",
  along: true,
});

/** The completed drains, the latest last. */
export const drained = fact({ name: "drained", parse: parseDrained, shown: "/run/pulumi-lvs/drained" });

/** The seconds since 1970 by the host's clock. */
export const clock = fact({ name: "clock", parse: parseClock, shown: "`date +%s`", ticks: true });
