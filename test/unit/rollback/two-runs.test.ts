import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { automation } from "@pulumi/pulumi";
import { expect, onTestFinished, test } from "vitest";
import type { Operation } from "../../../rollback/history.js";
import { isOfLast } from "../../../rollback/roll-back.js";
import { SavedCopy } from "../../../rollback/saved-state.js";
import { guarded } from "../../../rollback/up-or-roll-back.js";

const earlier: Operation = { kind: "update", startTime: "1", result: "succeeded" };

const changed = {
  resOutputsEvent: { metadata: { urn: "web", type: "pulumi-nodejs:dynamic/lvs:RealServer", op: "update" } },
} as unknown as automation.EngineEvent;

/** A stack whose CLI prints files, and its history, newest first. */
function fakeStack() {
  const folder = mkdtempSync(join(tmpdir(), "lvs-two-runs-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const command = join(folder, "pulumi");
  const answers = [
    `"whoami --json") echo '{ "url": "https://backend.invalid" }' ;;`,
    `"stack history") cat history ;;`,
    `"stack export") echo '{ "version": 3, "deployment": {} }' ;;`,
  ];
  writeFileSync(command, ['#!/bin/sh\ncase "$1 $2" in', ...answers, "esac\n"].join("\n"), { mode: 0o755 });
  let past: Operation[] = [earlier];
  const add = (...more: Operation[]) => {
    past = [...more, ...past];
    writeFileSync(join(folder, "history"), JSON.stringify(past));
  };
  add();
  const stack = {
    name: "prod",
    workspace: {
      ...{ workDir: folder, pulumiHome: folder, envVars: {}, pulumiCommand: { command } },
      projectSettings: async () => ({ name: "lvs" }),
    },
  } as unknown as automation.Stack;
  return { stack, add, past: () => past };
}

test("another run's update counts as such, also if the second run of Pulumi could not begin", async () => {
  const { stack, add } = fakeStack();
  const outcome = await guarded(stack, {
    async update(onEvent, _, beforeNextRun) {
      onEvent(changed);
      add({ kind: "update", startTime: "2", result: "succeeded" });
      await beforeNextRun();
      add({ kind: "update", startTime: "3", result: "succeeded" });
      throw new Error("the stack is locked");
    },
  });
  expect(outcome).toMatchObject({
    result: "not rolled back",
    notRestored: [{ why: "another update has changed the stack since; see `pulumi stack history`" }],
  });
});

test("two runs of Pulumi are one update, which succeeds", async () => {
  const { stack, add, past } = fakeStack();
  const outcome = await guarded(stack, {
    async update(onEvent, _, beforeNextRun) {
      for (const startTime of ["2", "3"]) {
        onEvent(changed);
        add({ kind: "update", startTime, result: "succeeded" });
        if (startTime === "2") await beforeNextRun();
      }
    },
  });
  expect(outcome).toEqual({ result: "done" });
  const saved = await (await SavedCopy.of(stack)).read();
  expect(saved && isOfLast(saved, past())).toBe(true);
});

test("the copy of before both runs is that of the last update, if the second run is killed", async () => {
  const { stack, add, past } = fakeStack();
  let found: unknown;
  await guarded(stack, {
    async update(onEvent, _, beforeNextRun) {
      onEvent(changed);
      add({ kind: "update", startTime: "2", result: "succeeded" });
      await beforeNextRun();
      const saved = await (await SavedCopy.of(stack)).read();
      found = saved && { update: saved.update, isOfLast: isOfLast(saved, past()) };
      onEvent(changed);
      add({ kind: "update", startTime: "3", result: "succeeded" });
    },
  });
  expect(found).toEqual({ update: undefined, isOfLast: true });
});
