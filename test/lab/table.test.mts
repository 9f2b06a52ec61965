import { expect, it } from "vitest";
import { run } from "../support/machines/lab.mts";
import { differences, type States, statesOf } from "./host-state.mts";
import { ask, disposing, onLab, patience } from "./setup.mts";
import { Stack } from "./stack.mts";

const vip = "192.168.0.210";

const program = ({ syncid = 7, rs2 = "" }) => `
new lvs.DrCluster("web", {
  director: {
    connection: { host: "director" },
    interface: "eth1",
    timeouts: { tcpFin: 2 },
    syncDaemon: { state: "master", mcastInterface: "eth2", syncid: ${syncid} },
  },
  vips: ["${vip}"],
  services: [{ port: 80, scheduler: "rr" }],
  realServers: [
    { name: "rs1", address: "192.168.0.221", connection: { host: "rs1" }, upperThreshold: 1 },
    { name: "rs2", address: "192.168.0.222", connection: { host: "rs2" }, ${rs2} },
  ],
});
const connection = { host: "rs2" };
const loaded = new lvs.KernelModule("ip-vs", { connection, name: "ip_vs" });
const backup = { connection, state: "backup", mcastInterface: "eth2", syncid: 8, mcastGroup: "FF02:0::81", mcastPort: 8849 };
new lvs.SyncDaemon("backup", backup, { dependsOn: loaded });
`;

const shown = async (option: string, host: "director" | "rs2" = "director") =>
  (await run(host, `ipvsadm -Ln --${option}`)).stdout;

const master = (syncid: number) =>
  `master sync daemon (mcast=eth2, syncid=${syncid}, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n`;

/** Thresholds as ipvsadm prints them, by real server. */
const thresholds = async () =>
  Object.fromEntries(
    [...(await shown("thresholds")).matchAll(/-> ([\d.]+):80 +(\d+) +(\d+) /g)].map(
      ([, server, upper, lower]) => [server, `${upper} ${lower}`],
    ),
  );

/** Opens a connection to the VIP on the client that stays until it is let go of. */
const hold = async (name: string) => {
  await run(
    "client",
    `systemd-run -q --collect --unit=${name} bash -c 'exec 3<>/dev/tcp/${vip}/80; echo open; sleep 600'
for i in $(seq 100); do journalctl -q -u ${name} -o cat | grep -qx open && exit; sleep 0.1; done; exit 1`,
  );
};
const letGo = (...names: string[]) => run("client", `systemctl stop ${names.join(" ")}`);

onLab("thresholds, timeouts and sync daemons", () => {
  const keep = disposing();
  let stack: Stack;
  let clean: States;

  it("are on the director as ipvsadm shows them", async () => {
    // another program's, which must come back
    await run("director", "modprobe -a ip_vs ip_vs_rr; ipvsadm --set 800 100 200");
    clean = await statesOf(["director", "rs1", "rs2"]);
    expect(clean.director?.directorWide).toBe("Timeout (tcp tcpfin udp): 800 100 200\n");
    stack = keep(await Stack.ofProgram(program({})));
    await stack.up();
    expect(await shown("timeout")).toBe("Timeout (tcp tcpfin udp): 900 2 300\n");
    expect(await shown("daemon")).toBe(master(7));
    expect(await shown("daemon", "rs2")).toBe(
      "backup sync daemon (mcast=eth2, syncid=8, maxlen=1452, group=ff02::81, port=8849, ttl=1)\n",
    );
    expect(await thresholds()).toEqual({ "192.168.0.221": "1 0", "192.168.0.222": "0 0" });
  });

  it("are found again just so, while connections come and go", async () => {
    await ask(`http://${vip}/`, 4);
    const { code, text } = await stack.pulumi("refresh", "--preview-only", "--diff", "--expect-no-changes");
    expect(code, text).toBe(0);
    await stack.up("--expect-no-changes");
  });

  it("a full real server gets no new connections, and all full ones refuse them, until one is let go of", async () => {
    const waitFor = (name: string) =>
      expect.poll(async () => Object.keys(await ask(`http://${vip}/`, 2)), patience).toContain(name);
    await waitFor("rs1");
    // the remembered ones count too
    await expect
      .poll(async () => (await run("director", "ipvsadm -Lnc")).stdout, patience)
      .not.toContain(`${vip}:80`);
    await hold("hold-1");
    await hold("hold-2");
    expect(await ask(`http://${vip}/`, 10)).toEqual({ rs2: 10 });

    await stack.program(program({ rs2: "upperThreshold: 2, lowerThreshold: 1" }));
    await stack.up();
    expect(await thresholds()).toEqual({ "192.168.0.221": "1 0", "192.168.0.222": "2 1" });
    // the kernel looks at a new threshold when the next connection comes
    await hold("hold-3");
    const { stdout } = await run("client", `curl -s -m 5 http://${vip}/; echo $?`);
    expect(stdout).toBe("7\n");

    await letGo("hold-1", "hold-2", "hold-3");
    await waitFor("rs1");
    await waitFor("rs2");
  });

  it("the master tells of connections", async () => {
    await run("rs1", "systemd-run -q --collect --unit=hear tcpdump -l -n -i eth2 udp dst port 8848");
    const heard = async () => (await run("rs1", "journalctl -q -u hear -o cat")).stdout;
    await expect.poll(heard, patience).toContain("listening on eth2");
    const heardOfMore = async () => {
      await ask(`http://${vip}/`, 4);
      return heard();
    };
    await expect.poll(heardOfMore, patience).toMatch(/192\.168\.10\.10\.\d+ > 224\.0\.0\.81\.8848: UDP/);
    await run("rs1", "systemctl stop hear");
  });

  it("changed by hand are shown and mended", async () => {
    await run(
      "director",
      `ipvsadm --set 60 0 0; ipvsadm --stop-daemon master; ipvsadm -e -t ${vip}:80 -r 192.168.0.221:80 -g -w 1 -x 9`,
    );
    const { text } = await stack.pulumi("refresh", "--preview-only", "--diff");
    expect(text).toMatch(/~ tcp: 900 => 60/);
    expect(text).toMatch(/~ upperThreshold: 1 => 9/);
    expect(text).toMatch(/SyncDaemon[\s\S]*\bgone\s*: true/);
    await stack.up("--refresh");
    expect(await shown("timeout")).toBe("Timeout (tcp tcpfin udp): 900 2 300\n");
    expect(await shown("daemon")).toBe(master(7));
    expect((await thresholds())["192.168.0.221"]).toBe("1 0");
  });

  it("a daemon is changed in place", async () => {
    await stack.program(program({ syncid: 9, rs2: "upperThreshold: 2, lowerThreshold: 1" }));
    expect(await stack.up()).toMatch(/1 updated/);
    expect(await shown("daemon")).toBe(master(9));
  });

  it("are destroyed without trace, and what was found comes back", async () => {
    await stack.destroy();
    expect(differences(clean, await statesOf(["director", "rs1", "rs2"]))).toEqual([]);
    expect(await shown("timeout")).toBe("Timeout (tcp tcpfin udp): 800 100 200\n");
    expect(await shown("daemon")).toBe("");
  });
});
