import { afterEach, expect, test, vi } from "vitest";
import { realServer } from "../../../providers/real-server/index.js";
import { fakeHost, resources } from "../../support/fake/engine.js";
import { shells } from "../../support/fake/fake-host.js";

const server = { service: "tcp://192.168.0.219:80", address: "192.168.10.1", port: 80 };

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test.each(shells.map((shell) => [shell.join(" "), shell] as const))(
  "LVS_LOG=trace prints bytes, processes and times of each script (%s)",
  async (_, shell) => {
    vi.stubEnv("LVS_LOG", "trace");
    const lines = vi.spyOn(console, "error").mockReturnValue(undefined);
    const fake = fakeHost({ shell });
    fake.write("ipvs", "-A -t 192.168.0.219:80 -s wlc\n");
    const kind = resources(realServer, fake);
    const { props } = await kind.create(server);
    await kind.read(props);
    const logged = lines.mock.calls.map(([line]) => String(line).replace(/\d+ ms/g, "T"));
    const bytes = fake.scripts.slice(1).map(({ length }) => length);
    const processes = /, ([1-9]\d*|\?) processes,/;
    expect(logged.filter((line) => processes.test(line)).map((line) => line.replace(processes, ","))).toEqual(
      [
        expect.stringMatching(/^lvs: director1: script 1 in T: \d+ bytes, sent T, lock T, read T$/),
        `lvs: director1: script 2 in T: ${bytes[1]} bytes, sent T, lock T, compare T, change T, read T`,
        `lvs: director1: script 3 in T: ${bytes[2]} bytes, sent T, lock T, read T`,
      ],
    );
  },
);

test("LVS_LOG=debug and no LVS_LOG send no marks", async () => {
  vi.stubEnv("LVS_LOG", "debug");
  vi.spyOn(console, "error").mockReturnValue(undefined);
  const fake = fakeHost();
  fake.environment = { trace: "1" };
  fake.write("ipvs", "-A -t 192.168.0.219:80 -s wlc\n");
  await resources(realServer, fake).create(server);
  expect(fake.scripts.join("")).not.toContain("trace=");
  const [line] = vi.mocked(console.error).mock.calls.at(-1) ?? [];
  expect(line).toMatch(/^lvs: director1: script 2 in \d+ ms$/);
});
