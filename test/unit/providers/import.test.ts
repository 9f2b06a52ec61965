import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import * as classes from "../../../providers/index.js";
import { withMocks } from "../../support/fake/mocks.js";

type Class = new (name: string, args: object, opts: object) => unknown;

test.each(Object.entries(classes))("the option import of %s is refused in one line", async (kind, Class) => {
  const registered: string[] = [];
  await withMocks(
    ({ name, inputs }) => {
      registered.push(name);
      return { id: name, state: inputs };
    },
    true,
    () => {
      const make = () =>
        new (Class as unknown as Class)("one", { connection: { host: "a" } }, { import: "a/one" });
      expect(make).toThrow(pulumi.RunError);
      expect(make).toThrow(
        `cannot import ${kind} one: Pulumi cannot import resources of this package; take the option import out, and the next up takes over what is on the host (with adopt: true also what has other settings)`,
      );
    },
  );
  expect(registered).toEqual([]);
});
