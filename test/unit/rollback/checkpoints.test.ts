import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { checkpointBefore, leftBehind } from "../../../rollback/checkpoints.js";

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
    expect(await leftBehind(now({ manifest, ...state("a", "c") }))).toBeUndefined();
    const pending = { ...state("a", "c"), pending_operations: [{ type: "updating" }] };
    expect(await leftBehind(now(pending))).toEqual({
      before: { version: 3, deployment: state("a", "c") },
      now: pending,
    });
    expect((await leftBehind(now(state("a"))))?.now).toEqual(state("a"));
  });

  test("compare a first run that died with nothing, and a new stack is as it was made", async () => {
    const died = withFiles({ [stack]: checkpoint(state("a")) });
    expect((await leftBehind(died))?.before.deployment).toEqual({});
    expect(await leftBehind(withFiles({ [stack]: checkpoint({}) }))).toBeUndefined();
    expect(await leftBehind(withFiles({}))).toBeUndefined();
  });
});
