import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { filesOf } from "../../../rollback/backend-files.js";
import { checkpointBefore, unrecordedChange } from "../../../rollback/checkpoints.js";
import { olderThan, unlikeHistory } from "../../../rollback/history.js";

const history = ".pulumi/history/shop/prod/prod-";
const stack = ".pulumi/stacks/shop/prod.json";

const state = (...urns: string[]) => ({ resources: urns.map((urn) => ({ urn, type: "t" })) });
const checkpoint = (latest: object) => ({ version: 3, checkpoint: { latest } });

/** The stack `prod` in a backend with these files; those of `.gz` are compressed. */
const withFiles = (files: Record<string, unknown>) => ({
  project: "shop",
  stack: "prod",
  files: {
    names: async (folder: string) =>
      Object.keys(files).flatMap((file) =>
        file.startsWith(`${folder}/`) ? [file.slice(folder.length + 1)] : [],
      ),
    read: async (file: string) => {
      const bytes = Buffer.from(JSON.stringify(files[file]));
      return file.endsWith(".gz") ? gzipSync(bytes) : bytes;
    },
  },
});

const twoUpdates = {
  [`${history}1.history.json`]: { kind: "update" },
  [`${history}1.checkpoint.json`]: checkpoint(state("a")),
  [`${history}2.history.json.gz`]: { kind: "update" },
  [`${history}2.checkpoint.json.gz`]: checkpoint(state("a", "b")),
  [`${history}3.history.json`]: { kind: "refresh" },
  [`${history}3.checkpoint.json`]: checkpoint(state("a", "c")),
};

describe("a backend's checkpoints", () => {
  test("give the state before the newest update, which no refresh is", async () => {
    expect(await checkpointBefore(withFiles(twoUpdates))).toEqual({ version: 3, deployment: state("a") });
    const { [`${history}1.checkpoint.json`]: _, ...lost } = twoUpdates;
    expect(await checkpointBefore(withFiles(lost))).toBeUndefined();
    const first = { [`${history}1.history.json`]: { kind: "update" } };
    expect(await checkpointBefore(withFiles(first))).toEqual({ version: 3, deployment: {} });
    expect(await checkpointBefore(withFiles({}))).toBeUndefined();
  });

  test.each(["", ".gz"])("tell a state that is not the newest operation's (prod.json%s)", async (ending) => {
    const now = (latest: object) => withFiles({ ...twoUpdates, [`${stack}${ending}`]: checkpoint(latest) });
    const manifest = { time: "later" };
    expect(await unrecordedChange(now({ manifest, ...state("a", "c") }))).toBeUndefined();
    const pending = { ...state("a", "c"), pending_operations: [{ type: "updating" }] };
    expect(await unrecordedChange(now(pending))).toEqual({
      before: { version: 3, deployment: state("a", "c") },
      now: pending,
    });
    expect((await unrecordedChange(now(state("a"))))?.now).toEqual(state("a"));
  });

  test("know nothing before a run that died first, and a new stack is as it was made", async () => {
    const died = withFiles({ [stack]: checkpoint(state("a")) });
    expect(await unrecordedChange(died)).toEqual({ before: undefined, now: state("a") });
    const destroyed = {
      [`${history}1.history.json`]: { kind: "destroy" },
      [`${history}1.checkpoint.json`]: checkpoint({}),
    };
    const imported = withFiles({ ...destroyed, [stack]: checkpoint(state("a")) });
    expect((await unrecordedChange(imported))?.before).toBeUndefined();
    expect(await unrecordedChange(withFiles({ [stack]: checkpoint({}) }))).toBeUndefined();
    expect(await unrecordedChange(withFiles({}))).toBeUndefined();
  });

  test("in a folder are none if there is no such folder, and an error if it cannot be read", async () => {
    const place = mkdtempSync(join(tmpdir(), "lvs-backend-"));
    onTestFinished(() => rmSync(place, { recursive: true }));
    const files = filesOf(`file://${place}`);
    expect(await files?.names("history")).toEqual([]);
    writeFileSync(join(place, "history"), "");
    await expect(files?.names("history")).rejects.toThrow(
      /^cannot read the backend's history: ENOTDIR: .*history'$/,
    );
  });
});

describe("a state of the history is not the one before an update", () => {
  const at = (minute: number) => `2026-11-30T10:0${minute}:00.5Z`;
  const server = (name: string, created: string | undefined, id = name) => ({
    urn: `urn:pulumi:prod::shop::pulumi-nodejs:dynamic/lvs:RealServer::${name}`,
    type: "pulumi-nodejs:dynamic/lvs:RealServer",
    id,
    ...(created ? { created } : {}),
  });
  const update = (resourceChanges: Record<string, number>) => ({
    kind: "update",
    startTime: "2026-11-30T10:05:00.000Z",
    resourceChanges,
  });
  const made = { resources: [server("a", at(5))] };

  test("if the stack was not empty before its first update", () => {
    expect(unlikeHistory({}, made, update({ create: 2, read: 1 }))).toBeUndefined();
    expect(unlikeHistory({}, made, update({ create: 2, same: 1, update: 1 }))).toBe(
      "the first update of the history met a stack that was not empty (same, update)",
    );
    const before = { resources: [server("b", at(1))] };
    expect(unlikeHistory(before, made, update({ delete: 1, create: 1 }))).toBeUndefined();
  });

  test("if it lacks a resource that is older, but not if that has another name now", () => {
    const older = { resources: [server("a", at(4))] };
    const why = "RealServer a is older than the update, and in no earlier state of the history";
    expect(unlikeHistory({}, older, update({ create: 1 }))).toBe(why);
    expect(olderThan(update({}), {}, { resources: [server("a", undefined)] })).toBe(why);
    expect(olderThan(update({}), older, older)).toBeUndefined();
    expect(olderThan(update({}), older, { resources: [server("b", at(4), "a")] })).toBeUndefined();
  });
});
