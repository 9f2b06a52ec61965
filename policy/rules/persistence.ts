import { except, rule } from "../rule.js";
import { isExcepted, poolsOf } from "../view.js";

/** For applications that keep a session on one server. */
export const persistence = rule<{ except: string[] }>({
  name: "persistence",
  description: "Each service has persistence, unless the configuration names it.",
  level: "disabled",
  severity: "medium",
  fields: { except: except("services") },
  check: ({ resources }, { except }) =>
    poolsOf(resources).flatMap((pool) => {
      const { director, service, declared } = pool;
      if (!declared || isExcepted(except, pool) || declared.props.persistence) return [];
      return [
        {
          message: `${service} on ${director} has no persistence; declare it, or name the service in \`except\` of the rule`,
          urn: declared.urn,
        },
      ];
    }),
});
