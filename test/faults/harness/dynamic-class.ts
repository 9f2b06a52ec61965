/**
 * The lines of a program that declare a class of dynamic resources of another package. They are what `pulumi.dynamic.Resource`
 * comes to, with the text of the provider as it is: the SDK would load the TypeScript compiler to find what the text captures.
 */
export const dynamicClass = (
  name: string,
  provider: string,
  type = "pulumi-nodejs:dynamic:Resource",
): string => `
class ${name} extends pulumi.CustomResource {
  constructor(name, props, opts) {
    super(${JSON.stringify(type)}, name, { ...props, __provider: ${JSON.stringify(`exports.handler = () => (${provider});`)} }, opts);
  }
}`;
