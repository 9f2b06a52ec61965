import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import ts from "typescript";
import { describe, expect, expectTypeOf, test } from "vitest";
import type { z } from "zod";
import type { ResourceArgs } from "../../../providers/engine/resource-class.js";
import type { HostRoute, RealServer, VirtualAddress, VirtualService } from "../../../providers/index.js";
import type { RealServerArgs } from "../../../providers/real-server/index.js";
import type { VirtualServiceArgs } from "../../../providers/virtual-service/index.js";
import { schedulers } from "../../../providers/virtual-service/schedulers.js";
import type { Connection } from "../../../src/ssh/connection.js";
import { connection } from "../../../src/ssh/connection.js";
import type { clusters } from "../../../stacks/cluster/schema.js";
import type { Clusters } from "../../../stacks/config.js";
import { definitions } from "../../support/fake/definitions.js";

const providers = join(__dirname, "../../../providers");

interface Declared {
  readonly name: string;
  readonly optional: boolean;
  readonly documented: boolean;
  readonly type: string;
}

/** Members of an interface, and of those of its file that it extends, as the source declares them. */
function membersOf(file: string, name: string): Declared[] {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  const interfaces = new Map(
    source.statements.filter(ts.isInterfaceDeclaration).map((node) => [node.name.text, node]),
  );
  const found = interfaces.get(name);
  if (!found) throw new Error(`${file} declares no ${name}`);
  const above = (found.heritageClauses ?? [])
    .flatMap(({ types }) => types.map(({ expression }) => expression.getText()))
    .filter((one) => interfaces.has(one));
  return [
    ...found.members.filter(ts.isPropertySignature).map((member) => ({
      name: member.name.getText(),
      optional: member.questionToken !== undefined,
      documented: ts.getJSDocCommentsAndTags(member).length > 0,
      type: member.type?.getText() ?? "",
    })),
    ...above.flatMap((one) => membersOf(file, one)),
  ];
}

/** Values of which only some types take any, by the type that takes one. */
const samples: [RegExp, ...unknown[]][] = [
  // One inside of braces is of what a map has.
  [/\bnull\b(?![^{]*\})/, null],
  [/\bboolean\b/, true],
  [/\bstring\[\]/, ["eth0"], ["192.168.0.6"], ["tcp://192.168.0.219:80"]],
  [/\bRecord<string, string>/, { a: "b" }],
  [/\bPersistence\b/, { timeout: 3, netmask: 24 }],
  [/^Drain\b/, { timeout: 3, minimum: 1 }],
];

describe.each([...definitions])("the arguments of %s", (file, { kind, key, config }) => {
  const members = membersOf(
    [`${file}.ts`, `${file}/index.ts`].map((path) => join(providers, path)).find(existsSync) ?? file,
    `${kind}Args`,
  );
  const shape = { ...key.shape, ...config.shape } as Record<string, z.ZodType>;
  const takes = (name: string, value: unknown) => shape[name]?.safeParse(value).success;

  test("are those that the schemas take, each documented", () => {
    expect(members.map(({ name }) => name).sort()).toEqual(Object.keys(shape).sort());
    expect(members.filter(({ documented }) => !documented)).toEqual([]);
  });

  test("may be left out exactly where the schemas fill in", () => {
    expect(members.map(({ name, optional }) => [name, optional])).toEqual(
      members.map(({ name }) => [name, takes(name, undefined)]),
    );
  });

  test("are of the types that the schemas take", () => {
    for (const { name, type } of members) {
      for (const [pattern, ...values] of samples)
        expect([name, values, values.some((value) => takes(name, value))]).toEqual([
          name,
          values,
          pattern.test(type) || type === "unknown",
        ]);
      for (const [, word] of type.matchAll(/"([a-z0-9]+)"/g))
        expect([name, word, takes(name, word)]).toEqual([name, word, true]);
      if (/^number\b/.test(type))
        expect([name, takes(name, 1), takes(name, "1")]).toEqual([name, true, false]);
      if (/^string\b(?!\[)/.test(type)) expect([name, takes(name, 1)]).toEqual([name, false]);
    }
  });
});

test("the schema of connections takes what the interface says, and only that", () => {
  expectTypeOf<z.input<typeof connection>>().toExtend<Connection>();
  expectTypeOf<Connection>().toExtend<z.input<typeof connection>>();
  const file = join(providers, "../src/ssh/connection.ts");
  const names = membersOf(file, "Connection").map(({ name }) => name);
  expect(names.sort()).toEqual(Object.keys(connection.shape).sort());
});

test("the schema of a stack's clusters has the fields of their arguments, and only those", () => {
  type Parsed = z.output<typeof clusters>[string];
  type Given = Clusters[string];
  type Of<Union, Kind> = Extract<Union, { kind: Kind }>;
  type Item<List> = Extract<List extends readonly (infer One)[] ? One : never, object>;
  type Fields<One> = keyof NonNullable<One>;
  type Both = "dr" | "nat";
  expectTypeOf<Fields<Of<Parsed, "dr">>>().toEqualTypeOf<Fields<Of<Given, "dr">>>();
  expectTypeOf<Fields<Of<Parsed, "nat">>>().toEqualTypeOf<Fields<Of<Given, "nat">>>();
  expectTypeOf<Fields<Of<Parsed, "dr">["arp"]>>().toEqualTypeOf<Fields<Of<Given, "dr">["arp"]>>();
  expectTypeOf<Fields<Of<Parsed, "dr">["director"]>>().toEqualTypeOf<Fields<Of<Given, "dr">["director"]>>();
  expectTypeOf<Fields<Of<Parsed, "nat">["director"]>>().toEqualTypeOf<Fields<Of<Given, "nat">["director"]>>();
  type Director<Union> = Of<Union, Both> extends { director?: infer One } ? NonNullable<One> : never;
  type Inner<Union, Name extends string> = Director<Union> extends { [_ in Name]?: infer One } ? One : never;
  expectTypeOf<Fields<Inner<Parsed, "syncDaemon">>>().toEqualTypeOf<Fields<Inner<Given, "syncDaemon">>>();
  expectTypeOf<Fields<Inner<Parsed, "timeouts">>>().toEqualTypeOf<Fields<Inner<Given, "timeouts">>>();
  expectTypeOf<Fields<Item<NonNullable<Of<Parsed, "dr">["directors"]>>>>().toEqualTypeOf<
    Fields<Item<NonNullable<Of<Given, "dr">["directors"]>>>
  >();
  expectTypeOf<Fields<Item<NonNullable<Of<Parsed, "nat">["directors"]>>>>().toEqualTypeOf<
    Fields<Item<NonNullable<Of<Given, "nat">["directors"]>>>
  >();
  expectTypeOf<Fields<Of<Parsed, "dr">["vrrp"]>>().toEqualTypeOf<Fields<Of<Given, "dr">["vrrp"]>>();
  expectTypeOf<Fields<Of<Parsed, "nat">["vrrp"]>>().toEqualTypeOf<Fields<Of<Given, "nat">["vrrp"]>>();
  expectTypeOf<Fields<Of<Parsed, Both>["sync"]>>().toEqualTypeOf<Fields<Of<Given, Both>["sync"]>>();
  expectTypeOf<Fields<Of<Parsed, Both>["probe"]>>().toEqualTypeOf<Fields<Of<Given, Both>["probe"]>>();
  expectTypeOf<Fields<Of<Parsed, Both>["packages"]>>().toEqualTypeOf<Fields<Of<Given, Both>["packages"]>>();
  expectTypeOf<Fields<Item<Parsed["vips"]>>>().toEqualTypeOf<Fields<Item<Given["vips"]>>>();
  expectTypeOf<Fields<Item<Parsed["realServers"]>>>().toEqualTypeOf<Fields<Item<Given["realServers"]>>>();
  type Dr<Union> = Item<Of<Union, "dr">["services" & keyof Of<Union, "dr">]>;
  type Nat<Union> = Item<Of<Union, "nat">["services" & keyof Of<Union, "nat">]>;
  expectTypeOf<Fields<Dr<Parsed>>>().toEqualTypeOf<Fields<Dr<Given>>>();
  expectTypeOf<Fields<Nat<Parsed>>>().toEqualTypeOf<Fields<Nat<Given>>>();
  type Health<Union> = Dr<Union> extends { health?: infer One } ? Fields<One> : never;
  expectTypeOf<Health<Parsed>>().toEqualTypeOf<Health<Given>>();
});

test("outputs have the types of what was given, with what was left out filled in", () => {
  expectTypeOf<RealServer["weight"]>().toEqualTypeOf<pulumi.Output<number>>();
  expectTypeOf<RealServer["forwarding"]>().toEqualTypeOf<pulumi.Output<"gatewaying" | "masquerading">>();
  expectTypeOf<RealServer["service"]>().toEqualTypeOf<pulumi.Output<string>>();
  expectTypeOf<RealServer["connection"]>().toEqualTypeOf<pulumi.Output<Connection>>();
  expectTypeOf<VirtualAddress["label"]>().toEqualTypeOf<pulumi.Output<string | null>>();
  expectTypeOf<HostRoute["metric"]>().toEqualTypeOf<pulumi.Output<number>>();
  expectTypeOf<VirtualService["drained"]>().toExtend<pulumi.Output<{ server: string; forced: number }[]>>();
  expectTypeOf<VirtualService["scheduler"]>().toEqualTypeOf<pulumi.Output<(typeof schedulers)[number]>>();
  expectTypeOf<VirtualServiceArgs["scheduler"]>().toEqualTypeOf<(typeof schedulers)[number] | undefined>();
  expect(schedulers).toContain("wlc");
});

test("arguments may be outputs one by one, and a wrong one is an error of the compiler", () => {
  type Args = ResourceArgs<RealServerArgs>;
  expectTypeOf<pulumi.Output<number>>().toExtend<NonNullable<Args["weight"]>>();
  expectTypeOf<{ host: pulumi.Output<string>; password: pulumi.Output<string> }>().toExtend<
    Args["connection"]
  >();
  expectTypeOf<pulumi.Output<Connection>>().toExtend<Args["connection"]>();
  // a literal, where the compiler refuses a field that the type does not have
  const whole = {
    host: "a",
    sudo: true,
    operationTimeout: 60,
    proxy: { host: "b" },
  } satisfies Args["connection"];
  expect(Object.keys(connection.shape)).toEqual(expect.arrayContaining(Object.keys(whole)));
  expectTypeOf<"nat">().not.toExtend<NonNullable<Args["forwarding"]>>();
  expectTypeOf<string>().not.toExtend<NonNullable<Args["weight"]>>();
  expectTypeOf<{ user: string }>().not.toExtend<Args["connection"]>();
  expectTypeOf<Omit<Args, "address">>().not.toExtend<Args>();
});

test("the declarations of the build import no zod, which needs other options of the compiler", () => {
  const built = join(providers, "../dist");
  const seen = new Set<string>();
  const packages = new Set<string>();
  const follow = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, name = ""] of readFileSync(file, "utf8").matchAll(/(?:from|import\(?)\s*"([^"]+)"/g))
      if (name.startsWith(".")) follow(join(dirname(file), name.replace(/\.js$/, ".d.ts")));
      else packages.add(name);
  };
  for (const door of ["index.d.ts", "providers/provider.d.ts"]) follow(join(built, door));
  expect(seen.size).toBeGreaterThan(20);
  expect([...packages].filter((name) => name !== "pulumi-lvs")).toEqual(["@pulumi/pulumi"]);
});
