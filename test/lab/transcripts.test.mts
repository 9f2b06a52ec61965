import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { quote } from "../../src/shell/quote.js";
import { run } from "../support/machines/lab.mts";
import { folder, type Run, runOf, type Session, transcripts } from "../support/transcripts.ts";
import { unloading } from "./modules.mts";
import { onLab } from "./setup.mts";

// The namespace has the interfaces, addresses and routes that a fake host begins with.
const likeFakeHost = `
ip netns del transcripts 2>/dev/null
ip netns add transcripts && modprobe ip_vs || exit
n() { ip -n transcripts "$@" || exit; }
n link set lo up
for i in 0 1; do
  n link add eth$i type veth peer name peer$i; n link set eth$i up; n link set peer$i up
done
n addr add 192.168.0.5/24 broadcast 192.168.0.255 dev eth0
n addr add 2001:db8::5/64 dev eth0 nodad
n addr add 192.168.10.10/24 dev eth1
n route add default via 192.168.0.1
n -6 route add default via 2001:db8::1
`;

const withoutModules = `ip netns del transcripts; ${unloading("ip_vs")}`;

/** Runs a line; modules are the machine's, all else is the namespace's. */
async function answer(tool: string, line: string) {
  const inside = tool === "modprobe" ? "sh" : "ip netns exec transcripts sh";
  return run("director", `export LC_ALL=C; ${inside} -c ${quote(line)}`, { allowFailure: true });
}

const recording = process.env.LVS_RECORD === "1";

onLab("the real tools answer as they are recorded:", () => {
  const recorded = new Map<string, Session[]>();

  beforeEach(async () => void (await run("director", likeFakeHost)));

  afterAll(async () => {
    await run("director", "ip netns del transcripts", { allowFailure: true });
    if (!recording) return;
    for (const [tool, sessions] of recorded)
      writeFileSync(join(folder, `${tool}.json`), `${JSON.stringify(sessions, null, 2)}\n`);
  });

  for (const [tool, sessions] of transcripts)
    describe(tool, () => {
      it.for(sessions.map((session) => [session.title, session] as const))("%s", async ([, session]) => {
        if (tool === "modprobe") await run("director", withoutModules);
        const runs: Run[] = [];
        for (const { run: line } of session.runs) runs.push(runOf(session, line, await answer(tool, line)));
        recorded.set(tool, [...(recorded.get(tool) ?? []), { title: session.title, runs }]);
        if (!recording) expect(runs).toEqual(session.runs);
      });
    });
});
