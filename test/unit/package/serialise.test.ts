import { createRequire } from "node:module";
import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, test } from "vitest";
import * as sources from "../../../providers/index.js";

/** What is in every resource's state, for ever: a change here touches every resource of every user. */
const golden = (kind: string) =>
  `exports.handler=()=>({kind:'${kind}',configure(r){require('module').createRequire(process.cwd()+'/')('pulumi-lvs/provider').install(this,r)}})`;

const providers = new Map<string, string>();

beforeAll(async () => {
  await pulumi.runtime.setMocks(
    {
      newResource: ({ name, inputs }) => {
        providers.set(name, inputs.__provider);
        return { id: name, state: inputs };
      },
      call: () => ({}),
    },
    "project",
    "stack",
  );
});

async function textOf(Class: unknown, name: string): Promise<string> {
  const resource = new (
    Class as new (
      name: string,
      args: object,
    ) => pulumi.Resource & { urn: pulumi.Output<string> }
  )(name, {
    connection: { host: "director1" },
  });
  await new Promise((resolve) => resource.urn.apply(resolve));
  return providers.get(name) as string;
}

describe.each(Object.entries(sources))("the provider's text of %s", (kind, Source) => {
  test("is the pinned one, by the published package and by the sources", async () => {
    const built = createRequire(__filename)("pulumi-lvs") as Record<string, unknown>;
    const text = await textOf(built[kind], `${kind}-built`);
    expect(text).toBe(golden(kind));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(200);
    expect(text.match(/\brequire\(/g)).toHaveLength(1);
    expect(text).not.toMatch(/\/(home|root|work|tmp|usr)\/|node_modules|\d+\.\d+\.\d+/);
    expect(await textOf(Source, `${kind}-source`)).toBe(golden(kind));
  });
});

test("the text, loaded as Pulumi loads it, is a whole provider of the installed package", async () => {
  const require = createRequire(__filename);
  const module = { exports: {} as { handler?: () => Record<string, unknown> } };
  new Function("exports", "require", "process", golden("RealServer"))(module.exports, require, process);
  const provider = module.exports.handler?.() as Record<string, (...args: unknown[]) => unknown>;
  expect(provider.configure?.({})).toBeUndefined();
  expect(Object.keys(provider).sort()).toEqual([
    "check",
    "configure",
    "create",
    "delete",
    "diff",
    "kind",
    "read",
    "update",
  ]);
  expect(await provider.check?.({}, { connection: { host: "a" }, weight: 70000 })).toMatchObject({
    failures: expect.arrayContaining([{ property: "weight", reason: "70000 is above 65535" }]),
  });
});

test("a kind that the installed package does not know is an error of one line", () => {
  const { install } = createRequire(__filename)("pulumi-lvs/provider") as { install: (self: object) => void };
  expect(() => install({ kind: "Tunnel" })).toThrow(
    expect.objectContaining({
      message:
        "cannot load Tunnel: this version of pulumi-lvs has no such kind; install the version that made the resource",
      stack:
        "cannot load Tunnel: this version of pulumi-lvs has no such kind; install the version that made the resource",
    }),
  );
});
