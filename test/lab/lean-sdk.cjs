// Node loads this before Pulumi's SDK in the test stacks (`--require`). It halves what the SDK's two processes load.
const Module = require("node:module");

// The language host that scripts/setup builds ignores this option of Pulumi.yaml, and would load the compiler.
if (process.env.LVS_PLAIN_JAVASCRIPT) process.env.PULUMI_NODEJS_TYPESCRIPT = "false";

// The SDK loads both at its start. A stack needs the compiler only for closures that it serialises, and the other never.
const late = new Set(["@npmcli/arborist", "typescript"]);

/** @type {{ _load(this: unknown, request: string, parent: NodeModule | undefined, isMain: boolean): object }} */
const loader = /** @type {any} */ (Module);
const load = loader._load;
loader._load = function (request, parent, isMain) {
  if (!late.has(request) || !parent?.filename?.includes("/@pulumi/pulumi/"))
    return load.call(this, request, parent, isMain);
  /** @type {object | undefined} */
  let loaded;
  return new Proxy(
    {},
    {
      get: (_, name) => {
        // TypeScript's helper for imports would copy each property.
        if (name === "__esModule") return true;
        loaded ??= load.call(this, request, parent, isMain);
        return Reflect.get(loaded, name);
      },
    },
  );
};
