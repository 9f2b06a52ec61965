/**
 * Returns the text that Pulumi keeps of a provider, twice in each resource's state and forever.
 * `pulumi.dynamic.Resource` would make a text of four times the length, and would load the TypeScript compiler
 * for it at each run.
 *
 * The text loads the version of the package that the project has installed, also if the project is the
 * package's own repository.
 */
export const providerText = (kind: string): string =>
  `exports.handler=()=>({kind:'${kind}',configure(r){require('module').createRequire(process.cwd()+'/')('pulumi-lvs/provider').install(this,r)}})`;
