import { execFileSync } from "node:child_process";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test, vi } from "vitest";
import { DrCluster } from "../../../index.js";
import { parseClusters } from "../../../stacks/config.js";
import { ownHome } from "../../support/fake/ssh-client.js";

const { path, file } = ownHome();

interface Installed {
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}

/** The remote commands of a cluster with packages, and those of its inputs that are not known, in a preview or an update. */
async function installed(connection: object, how: "preview" | "up", names = ["ipvsadm"]) {
  const commands: Installed[] = [];
  const isPreview = how === "preview";
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        if (type === "command:remote:Command") commands.push({ name, inputs });
        return { id: `id of ${name}`, state: inputs };
      },
      call: () => ({}),
    },
    "project",
    "stack",
    isPreview,
  );
  try {
    new DrCluster("web", {
      director: { connection: connection as never, interface: "eth0" },
      vips: ["192.168.0.210"],
      services: [{ port: 80 }],
      realServers: [{ address: "192.168.0.221" }],
      packages: { director: names },
    });
  } finally {
    await pulumi.runtime.disconnect();
  }
  return commands;
}

describe("a preview of packages", () => {
  // whatever is read of these shows, or hangs
  const planted = () => ({
    host: "director1",
    privateKeyPath: file("key", "PLANTED-KEY"),
    privateKeyPasswordEnv: "LVS_TEST_SET",
    passwordEnv: "LVS_TEST_MISSING",
    knownHosts: file("hosts", "director1 ssh-ed25519 PLANTED-HOST-KEY"),
  });

  test("does not know the connection, and reads no key, no known_hosts and no variable", async () => {
    vi.stubEnv("LVS_TEST_SET", "PLANTED-VARIABLE");
    const [command] = await installed(planted(), "preview");
    expect(command?.inputs).toMatchObject({ triggers: ["director1", "ipvsadm"] });
    expect(JSON.stringify(command?.inputs)).not.toContain("PLANTED");
    expect(JSON.stringify(command?.inputs.connection ?? null)).not.toContain("director1");
  });

  test("is the same whether what is named is there, missing or a pipe, so it tells nothing of the machine", async () => {
    execFileSync("mkfifo", [path("pipe")]);
    const seen = [];
    for (const name of [file("key", "PEM"), path("missing"), path("pipe"), "/dev/zero", path(".")])
      for (const fields of [{ privateKeyPath: name }, { knownHosts: name }])
        seen.push(await installed({ host: "director1", ...fields }, "preview"));
    expect(new Set(seen.map((one) => JSON.stringify(one)))).toHaveLength(1);
    vi.stubEnv("LVS_SSH_CONFIG", path("pipe"));
    expect(await installed({ host: "director1" }, "preview")).toEqual(seen[0]);
  });

  test("is followed by an update that knows them", async () => {
    vi.stubEnv("LVS_TEST_SET", "PLANTED-VARIABLE");
    const { passwordEnv: _, ...connection } = planted();
    const [command] = await installed(connection, "up");
    for (const word of ["PLANTED-KEY", "PLANTED-HOST-KEY", "PLANTED-VARIABLE"])
      expect(JSON.stringify(command?.inputs.connection)).toContain(word);
  });
});

describe("a package's name", () => {
  const clustersWith = (name: string) =>
    parseClusters({
      web: {
        kind: "dr",
        director: { connection: { host: "director1" }, interface: "eth0" },
        vips: ["192.168.0.210"],
        services: [{ port: 80 }],
        realServers: [{ address: "192.168.0.221" }],
        packages: { director: ["ipvsadm", name] },
      },
    });

  test.each([
    "ipvsadm",
    "g++",
    "libstdc++6",
    "lib32gcc-s1",
    "gcc-c++",
    "NetworkManager",
    "perl-Net_SSLeay",
    "R",
    "python3.11",
  ])("may be %s", (name) => {
    expect(clustersWith(name)).toHaveProperty("clusters");
  });

  test.each([
    ["takes it away", "openssh-server-"],
    ["is written in another way", "openssh-server+"],
    ["is a file", "evil.rpm"],
    ["is a file", "evil.deb"],
    ["is a file", "evil.apk"],
    ["is a file somewhere else", "./evil"],
    ["has a version", "curl=1.0"],
    ["is a pattern", "lib*"],
    ["is an option", "-oDpkg::Pre-Invoke=reboot"],
    ["is a group", "@core"],
    ["is a command", "ipvsadm; reboot"],
    ["is two", "ipvsadm\nreboot"],
    ["is nothing", ""],
  ])("that %s is refused: %j", async (_, name) => {
    const { mistakes } = clustersWith(name) as { mistakes?: string[] };
    expect(mistakes).toHaveLength(1);
    expect(mistakes?.[0]).toMatch(/^clusters\.web\.packages\.director\[1\]: .* is not a package name/);
    const known = { host: "director1", insecureIgnoreHostKey: true };
    await expect(installed(known, "up", [name])).rejects.toThrow(
      /packages\.director\[0\]: .* is not a package name/,
    );
  });

  test("that has a dot is no pattern to apt, and nothing is removed for it", async () => {
    const [command] = await installed({ host: "director1", insecureIgnoreHostKey: true }, "up");
    const { create } = command?.inputs ?? {};
    expect(create).toMatch(/^packages=ipvsadm\n/);
    expect(create).toContain('apt-get install -y --no-remove -o APT::Cmd::Pattern-Only=true "$@"');
  });
});

test("packages are installed anew on another host or for other names, not for other credentials", async () => {
  const known = { host: "director1", port: 2222, insecureIgnoreHostKey: true };
  const triggers = async (...args: Parameters<typeof installed>) =>
    (await installed(...args))[0]?.inputs.triggers;
  expect(await triggers(known, "up")).toEqual(["director1:2222", "ipvsadm"]);
  expect(await triggers({ ...known, password: "other" }, "up")).toEqual(["director1:2222", "ipvsadm"]);
  expect(await triggers({ ...known, host: "director2" }, "up", ["curl"])).toEqual(["director2:2222", "curl"]);
});
