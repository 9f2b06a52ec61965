import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fakeHost } from "../../support/fake/engine.js";
import type { FakeHost } from "../../support/fake/fake-host.js";
import { fakeBin } from "../../support/fake/tree.js";
import { runOf, transcripts } from "../../support/transcripts.js";

/** Runs a line with the tools of a fake host. */
function answer(fake: FakeHost, line: string) {
  const { status, stdout, stderr } = spawnSync(
    "/bin/sh",
    ["-c", line.replaceAll("/proc/sys/", `${fake.root}/proc/sys/`)],
    {
      env: { PATH: join(fake.root, "tools"), LVS_FAKE_ROOT: fake.root, LVS_FAKE_BIN: fakeBin, LC_ALL: "C" },
      encoding: "utf8",
    },
  );
  return { code: status ?? 255, stdout, stderr };
}

describe.each([...transcripts])("the fake %s answers as the real one", (tool, sessions) => {
  test.for(sessions.map((session) => [session.title, session] as const))("%s", ([, session]) => {
    const fake = fakeHost();
    if (tool === "modprobe") for (const name of ["sys/module/ip_vs", "proc/net/ip_vs"]) fake.remove(name);
    expect(session.runs.map(({ run }) => runOf(session, run, answer(fake, run)))).toEqual(session.runs);
  });
});
