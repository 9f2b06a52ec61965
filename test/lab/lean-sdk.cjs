// Node loads this before Pulumi's SDK in the test stacks (`--require`). It spares half of the processor time of each process.
const Module = require("node:module");

// The language host that scripts/setup builds ignores this option of Pulumi.yaml, and would load the compiler.
if (process.env.LVS_PLAIN_JAVASCRIPT) process.env.PULUMI_NODEJS_TYPESCRIPT = "false";

/**
 * What is loaded at its first use, by a part of the path of the file that asks for it. The SDK loads all of these at its start,
 * and a stack needs few: the compiler for closures that it serialises, YAML for a package.yaml.
 *
 * @type {[string, Set<string>][]}
 */
const late = [
  [
    "/@pulumi/pulumi/",
    new Set(["@npmcli/arborist", "typescript", "js-yaml", "normalize-package-data", "./automation"]),
  ],
  // messages in fifty languages
  ["/zod/v4/", new Set(["../locales/index.cjs"])],
];

/** @type {{ _load(this: unknown, request: string, parent: NodeModule | undefined, isMain: boolean): object }} */
const loader = /** @type {any} */ (Module);
const load = loader._load;
loader._load = function (request, parent, isMain) {
  const from = parent?.filename ?? "";
  if (request === "./tracing" && from.endsWith("/@pulumi/pulumi/cmd/run/run.js")) return untraced;
  if (request === "source-map-support/register" && from.includes("/@pulumi/pulumi/cmd/")) {
    /** @type {any} */ (load.call(this, "source-map-support", parent, false)).install(unmapped);
    return {};
  }
  if (!late.some(([part, requests]) => requests.has(request) && from.includes(part)))
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
        return name === "default" && !("__esModule" in loaded) ? loaded : Reflect.get(loaded, name);
      },
    },
  );
};

// The spans of a program that runs without `--tracing`. The SDK would load a hundred modules of exporters for them.
const untraced = {
  /** @param {string} name */
  newSpan: (name) => require("@opentelemetry/api").trace.getTracer("untraced").startSpan(name),
};

// The program and the package are plain JavaScript. Each registration has a stack with frames of the SDK, which has large maps.
const unmapped = { retrieveSourceMap: () => null, overrideRetrieveSourceMap: true };
