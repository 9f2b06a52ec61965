import { except, rule } from "../rule.js";
import { hostOf, isExcepted, poolsOf, serviceNameOf } from "../view.js";

/** In production, servers that fail are removed. */
export const healthMonitor = rule<{ tag: string; value: string; except: string[] }>({
  name: "health-monitor",
  description: "In stacks with a tag, each service has a health monitor.",
  level: "mandatory",
  severity: "high",
  fields: {
    tag: { type: "string", default: "environment", description: "tag of the stack; empty: all stacks" },
    value: { type: "string", default: "prod", description: "value of the tag" },
    except: except("services"),
  },
  check({ resources, tags }, { tag, value, except }) {
    if (tag !== "" && tags.get(tag) !== value) return [];
    const monitored = resources
      .filter(({ kind }) => kind === "HealthMonitor")
      .map((one) => `${hostOf(one)} ${serviceNameOf(one)}`);
    return poolsOf(resources).flatMap((pool) => {
      const { director, service, declared } = pool;
      if (!declared || isExcepted(except, pool) || monitored.includes(`${director} ${service}`)) return [];
      return [
        { message: `${service} on ${director} has no health monitor; declare \`health\``, urn: declared.urn },
      ];
    });
  },
});
