import { except, rule } from "../rule.js";
import { isExcepted, poolsOf, weightOf } from "../view.js";

/** A service whose real servers all have weight 0 takes no new connection. */
export const memberWithWeight = rule<{ minimum: number; except: string[] }>({
  name: "member-with-weight",
  description: "Each service has a real server with a weight above 0.",
  level: "mandatory",
  severity: "critical",
  fields: {
    minimum: { type: "integer", minimum: 1, default: 1, description: "servers that need a weight above 0" },
    except: except("services"),
  },
  check: ({ resources }, { minimum, except }) =>
    poolsOf(resources)
      .filter((pool) => pool.servers.length > 0 && !isExcepted(except, pool))
      .flatMap(({ director, service, servers, declared }) => {
        const count = servers.filter((server) => weightOf(server) > 0).length;
        // A pool of fewer servers than that is no mistake of their weights.
        const least = Math.min(minimum, servers.length);
        if (count >= least) return [];
        const urn = declared?.urn ?? servers[0]?.urn;
        return [
          {
            message: `${service} on ${director}: ${count} of ${servers.length} real servers have a weight above 0; at least ${least} must`,
            ...(urn === undefined ? {} : { urn }),
          },
        ];
      }),
});
