import * as pulumi from "@pulumi/pulumi";

/** Returns whether the value of something is known only later. */
export const isOutput = (value: unknown): boolean =>
  pulumi.Output.isInstance(value) || value instanceof Promise;

const hasOutput = (value: unknown): boolean =>
  isOutput(value) || (typeof value === "object" && value !== null && Object.values(value).some(hasOutput));

/** Returns what a function makes of an input: an output of it if an output is inside. */
export const mapInput = <Value, Made>(value: Value, make: (value: pulumi.Unwrap<Value>) => Made) =>
  hasOutput(value)
    ? pulumi.output(value).apply((known) => make(known as pulumi.Unwrap<Value>))
    : make(value as pulumi.Unwrap<Value>);

/** Returns the fields of a map, and none of an output, whose value is known later. */
export const knownFields = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !isOutput(value) ? { ...value } : {};
