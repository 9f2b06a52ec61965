import { except, rule } from "../rule.js";
import { isExcepted, poolsOf, weightOf } from "../view.js";

/** Pulumi refuses to delete a protected resource. */
export const lastServerProtected = rule<{ servers: number; except: string[] }>({
  name: "last-server-protected",
  description: "The last real server of a service that has a weight is protected from deletion.",
  level: "advisory",
  severity: "medium",
  fields: {
    servers: {
      type: "integer",
      minimum: 1,
      default: 1,
      description: "a service with so many servers, or fewer",
    },
    except: except("services"),
  },
  check: ({ resources }, { servers, except }) =>
    poolsOf(resources)
      .filter((pool) => !isExcepted(except, pool))
      .flatMap((pool) => {
        const inUse = pool.servers.filter((server) => weightOf(server) > 0);
        if (inUse.length > servers) return [];
        return inUse
          .filter(({ isProtected }) => !isProtected)
          .map(({ name, urn }) => ({
            message: `${pool.service} on ${pool.director}: ${name} is the last server; give it the option \`protect: true\``,
            urn,
          }));
      }),
});
