import { expect, test } from "vitest";
import { flagsOf } from "../../../cli/arguments.js";

test("flags of up are read with their values, long and short", () => {
  const rest = ["-yr", "--replace", "urn:a", "--refresh=false", "--config-path", "-c", "a=1"];
  expect(flagsOf(rest)).toEqual([
    { name: "yes", value: undefined },
    { name: "refresh", value: undefined },
    { name: "replace", value: "urn:a" },
    { name: "refresh", value: "false" },
    { name: "config-path", value: undefined },
    { name: "config", value: "a=1" },
  ]);
});
