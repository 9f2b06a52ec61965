/**
 * Returns the text that Pulumi keeps of a provider, in every resource's state and forever. It is what
 * `pulumi.dynamic.Resource` makes of an object with `kind` and `configure`, for which it would load the
 * TypeScript compiler at each run.
 *
 * The text loads the version of the package that the project has installed, also if the project is the
 * package's own repository.
 */
export const providerText = (kind: string): string => `exports.handler = __f0;

var __provider = {kind: ${JSON.stringify(kind)}, configure: __f1};

function __f1(__0) {
  return (function() {
    with({ this: undefined, arguments: undefined }) {

return function /*configure*/(r) { require("node:module").createRequire(\`\${process.cwd()}/\`)("pulumi-lvs/provider").install(this, r); };

    }
  }).apply(undefined, undefined).apply(this, arguments);
}

function __f0() {
  return (function() {
    with({ provider: __provider, this: undefined, arguments: undefined }) {

return () => provider;

    }
  }).apply(undefined, undefined).apply(this, arguments);
}
`;
