import { z } from "zod";
import { secretFields } from "../src/ssh/connection.js";
import { clusters } from "./cluster/schema.js";

type Schema = z.core.JSONSchema.JSONSchema;

/** The form of a text in the file after `pulumi config set --secret`. */
const secure: Schema = {
  type: "object",
  properties: { secure: { type: "string" } },
  required: ["secure"],
  additionalProperties: false,
};

/** Returns a schema whose secret fields take an encrypted text, too. */
function withSecrets(schema: unknown): unknown {
  if (typeof schema !== "object" || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(withSecrets);
  return Object.fromEntries(
    Object.entries(schema).map(([name, inner]) => [
      name,
      (secretFields as readonly string[]).includes(name) ? { anyOf: [inner, secure] } : withSecrets(inner),
    ]),
  );
}

/** Returns a schema with some fields required, and without others. */
function having(
  { properties = {}, required = [], ...rest }: Schema,
  fields: string[],
  others: string[],
): Schema {
  const left = Object.entries(properties).filter(([name]) => !others.includes(name));
  return { ...rest, properties: Object.fromEntries(left), required: [...required, ...fields] };
}

/** Returns the forms of a cluster: with one director, or with several and how the VIPs move. */
const withDirectors = (cluster: Schema): Schema[] => [
  having(cluster, ["director"], ["directors", "vrrp", "sync", "allowDown"]),
  having(cluster, ["directors", "vrrp"], ["director"]),
];

/**
 * Returns the JSON Schema of a stack's file, `Pulumi.<stack>.yaml`: editors complete and check `PROJECT:clusters` by it.
 * It holds the limits that a JSON Schema can express. parseClusters checks all of them. @internal
 */
export function stackSchema(): Schema {
  const {
    $schema: _,
    definitions,
    ...value
  }: Schema = z.toJSONSchema(clusters, {
    // YAML extensions of editors know this version.
    target: "draft-7",
    io: "input",
    unrepresentable: "any",
  });
  const { additionalProperties: each } = value as { additionalProperties: { oneOf: Schema[] } };
  const directed = { ...value, additionalProperties: { ...each, oneOf: each.oneOf.flatMap(withDirectors) } };
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Pulumi.<stack>.yaml with clusters of pulumi-lvs",
    type: "object",
    properties: {
      config: {
        type: "object",
        patternProperties: { "^[^:]+:(config:)?clusters$": { $ref: "#/definitions/clusters" } },
      },
    },
    definitions: withSecrets({ ...(definitions as object), clusters: directed }) as Record<string, Schema>,
  };
}
