import { except, rule } from "../rule.js";
import { isExcepted, type Pool, poolsOf, type Seen, weightOf } from "../view.js";

const keyOf = ({ director, service }: Pool): string => `${director} ${service}`;

const serverOf = ({ props }: Seen): string => `${props.address} ${props.port}`;

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

/** One update takes out a part of the servers. The others must be able to serve alone meanwhile. */
export const removedWeight = rule<{ percent: number; except: string[] }>({
  name: "removed-weight",
  description: "One update removes at most a share of the weight of a service.",
  level: "mandatory",
  severity: "high",
  fields: {
    percent: { type: "number", minimum: 0, maximum: 100, default: 50, description: "share, in per cent" },
    except: except("services"),
  },
  check({ resources, before = [] }, { percent, except }) {
    const after = new Map(poolsOf(resources).map((pool) => [keyOf(pool), pool]));
    return poolsOf(before)
      .filter((pool) => !isExcepted(except, pool))
      .flatMap((pool) => {
        const now = after.get(keyOf(pool));
        const weights = new Map(now?.servers.map((server) => [serverOf(server), weightOf(server)]));
        const had = sum(pool.servers.map(weightOf));
        const lost = sum(
          pool.servers.map((server) => Math.max(0, weightOf(server) - (weights.get(serverOf(server)) ?? 0))),
        );
        if (had === 0 || lost * 100 <= percent * had) return [];
        const urn = now?.declared?.urn;
        return [
          {
            message: `${pool.service} on ${pool.director}: the update removes ${lost} of ${had} of its weight, ${Math.round((lost * 100) / had)} %; at most ${percent} % may go at once`,
            ...(urn === undefined ? {} : { urn }),
          },
        ];
      });
  },
});
