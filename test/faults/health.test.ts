import { describe, expect, test } from "vitest";
import { shells } from "../fake/fake-host.js";
import { soon, Watched } from "./watched.js";

const a = "192.168.10.11:80";
const b = "192.168.10.12:80";

function pair(changes: Parameters<Watched["watch"]>[0] = {}, shell?: readonly string[]): Watched {
  const host = new Watched(shell);
  host.declare({ [a]: 1, [b]: 2 });
  host.watch(changes);
  host.page(a, "OK");
  host.page(b, "OK");
  return host;
}

describe.each(shells.map((shell) => [shell.join(" "), shell] as const))("the agent in %s", (_, shell) => {
  test("takes a dead server out, and back in with its weight, and says so in the log", async () => {
    const host = pair({}, shell);
    host.start();
    await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} up`]));
    host.page(b, undefined);
    await soon(() => expect(host.table()).toEqual([`${a} 1`]));
    await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} down`]));
    expect(host.read("run/pulumi-lvs/health")).toMatch(
      /192\.168\.10\.12:80\tdown\t\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\tno answer: Failed to connect to 192\.168\.10\.12:80: refused$/m,
    );
    host.page(b, "fine: OK!");
    await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} 2`]));
    await soon(() =>
      expect(host.read("monitor.log")).toMatch(
        /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d), 192\.168\.10\.12 is gone\.\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d, 192\.168\.10\.12 is back\.\n$/,
      ),
    );
    expect(host.said).toBe("");
  });
});
