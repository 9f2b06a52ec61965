import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import { type HostName, reboot, run } from "../support/machines/lab.mts";
import { differences, type States, statesOf } from "./host-state.mts";
import { restored } from "./restored.mts";
import { ask, disposing, onLab } from "./setup.mts";
import { Stack } from "./stack.mts";

const vip = "192.168.0.210";
const hosts = ["director", "rs1", "rs2"] as const;
const server = { rs1: "192.168.0.221", rs2: "192.168.0.222" } as const;

/** A cluster of the tutorial's kind, whose one service has these health checks. */
const program = (health: object, service: object = { port: 80 }, more = "", weights = [2, 1]) => `
const cluster = new lvs.DrCluster("web", {
  director: { connection: { host: "director" }, interface: "eth1" },
  vips: ["${vip}"],
  services: [${JSON.stringify({ scheduler: "wrr", ...service, health })}],
  realServers: [
    { name: "rs1", address: "192.168.0.221", weight: ${weights[0]}, connection: { host: "rs1" } },
    { name: "rs2", address: "192.168.0.222", weight: ${weights[1]}, connection: { host: "rs2" } },
  ],
});
${more}`;

/** Weights of the real servers in the table, as the kernel has them. */
async function table(): Promise<Record<string, number>> {
  const { stdout } = await run("director", "ipvsadm -Sn | sed '/ -f 12807/d'");
  return Object.fromEntries(
    [...stdout.matchAll(/^-a .* -r (\S+):\d+ .*-w (\d+)/gm)].map(([, address, weight]) => [
      address,
      Number(weight),
    ]),
  );
}

/** Who is how, in the order of addresses. */
const status = async (): Promise<string> =>
  (await run("director", "cut -f 2,3 /run/pulumi-lvs/health | sort")).stdout.trim().replaceAll("\t", " ");
const stop = (host: HostName) => run(host, "systemctl stop nginx");
const start = (host: HostName) => run(host, "systemctl start nginx");

/** Waits until something holds on the director; answers with the seconds that it took. */
async function within(seconds: number, holds: () => Promise<void>): Promise<number> {
  const begun = Date.now();
  for (;;) {
    try {
      await holds();
      return (Date.now() - begun) / 1000;
    } catch (error) {
      if (Date.now() - begun > seconds * 1000) throw error;
    }
    // a look costs 60 ms of a processor
    await pause(500);
  }
}

// machines that share a busy computer take this much longer for the agent's processes and for being asked
const slack = 300;
/** What packets to the VIP are marked by in the tutorial's cluster behind a mark. */
const mark = (verb: string) =>
  `iptables -t mangle ${verb} PREROUTING -d ${vip} -p tcp --dport 80 -j MARK --set-mark 10`;
const unmark = () => run("director", `${mark("-D")} 2>/dev/null; rm -f /var/log/ipvsmonitor.log; :`);

/** What is otherwise than before, but for the empty chains and the modules that stay once there was a firewall rule. */
const left = (before: States, after: States) =>
  differences(before, after).filter(
    (line) =>
      !/ modules: |nf_conntrack|net\.netfilter| firewall: \+ (\*mangle|:[A-Z]+ ACCEPT|COMMIT)$/.test(line),
  );

/** The director's clock, and when it says that the last of something happened; in seconds. */
const now = async () => Number((await run("director", "date +%s")).stdout);
async function logged(what: string): Promise<number> {
  const last = `grep 'is ${what}' /var/log/ipvsmonitor.log | tail -n 1 | cut -d, -f1`;
  // the line comes after the table has changed
  await within(slack, async () => expect((await run("director", last)).stdout).not.toBe(""));
  return Number((await run("director", `date -d "$(${last})" +%s`)).stdout);
}

const page = { path: "/", body: "" };

/** A site with a certificate that no authority has signed. */
const tlsSite = `mkdir /run/lab-tls
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=rs1 -days 1 -keyout /run/lab-tls/key -out /run/lab-tls/certificate 2>/dev/null
cat >/etc/nginx/conf.d/lab.conf <<'END'
server { listen 8443 ssl; ssl_certificate /run/lab-tls/certificate; ssl_certificate_key /run/lab-tls/key; location / { return 200 "all is well"; } }
END
systemctl reload nginx`;

/** A name server of one name, over TCP, which answers with the error that /run/rcode holds, and to a malformed query with 1. */
const dnsServer = `
import socket, struct
question = b"\\3www\\7example\\4test\\0" + struct.pack("!HH", 1, 1)
def answer(query):
    number, flags, *counts = struct.unpack("!6H", query[:12])
    well = counts == [1, 0, 0, 0] and flags & 0x8000 == 0 and query[12:] == question
    code = int(open("/run/rcode").read()) if well else 1
    record = b"\\xc0\\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes([192, 0, 2, 1]) if code == 0 else b""
    return struct.pack("!6H", number, 0x8400 | code, 1, len(record) > 0, 0, 0) + query[12:] + record
server = socket.create_server(("", 5353))
while True:
    client, _ = server.accept()
    with client, client.makefile("rwb") as stream:
        length = stream.read(2)
        if len(length) == 2:
            reply = answer(stream.read(struct.unpack("!H", length)[0]))
            stream.write(struct.pack("!H", len(reply)) + reply)
`;
const startDns = "systemd-run -q --unit lab-dns python3 /run/dns.py";

// the lock is an empty file that stays until the next reboot
const ourFiles = "find /etc /run -name '*pulumi-lvs*' ! -name pulumi-lvs.lock";

onLab("the tutorial's health-check scripts", () => {
  const keep = disposing();
  let stack: Stack;
  let clean: States;

  it("script 1, checkRS: behind -f 10 a server whose /.health.html does not say OK is out within 3 s, and back", async () => {
    clean = await statesOf(hosts);
    // what the tutorial's cluster of this script has: packets to the VIP get the mark
    await run("director", mark("-A"));
    stack = keep(
      await Stack.ofProgram(program({ interval: 3, rise: 1, fall: 1 }, { fwmark: 10 }, "", [1, 1])),
    );
    await stack.up();
    expect(await ask(`http://${vip}/`, 10)).toEqual({ rs1: 5, rs2: 5 });
    await run("rs1", "mv /var/www/html/.health.html /var/tmp/");
    await within(3 + slack, async () => expect(await table()).toEqual({ [server.rs2]: 1 }));
    expect((await run("director", "ipvsadm -Sn")).stdout).toContain(`-a -f 10 -r ${server.rs2}:0 -g -w 1`);
    expect(await ask(`http://${vip}/`, 10)).toEqual({ rs2: 10 });
    await run("rs1", "echo failing >/var/www/html/.health.html");
    await run("rs1", "mv /var/tmp/.health.html /var/www/html/");
    await within(3 + slack, async () => expect(await table()).toEqual({ [server.rs1]: 1, [server.rs2]: 1 }));
    expect(await ask(`http://${vip}/`, 10)).toEqual({ rs1: 5, rs2: 5 });
    await stack.destroy();
    await unmark();
    expect(left(clean, await statesOf(hosts))).toEqual([]);
  });

  it("first edition: a server that takes no connection is out within 5 s, and back with its weight", async () => {
    await stack.program(program({ interval: 5, rise: 1, fall: 1, check: page }));
    await stack.up();
    expect(await ask(`http://${vip}/`, 12)).toEqual({ rs1: 8, rs2: 4 });
    await stop("rs1");
    await within(5 + 1 + slack, async () => expect(await table()).toEqual({ [server.rs2]: 1 }));
    expect(await ask(`http://${vip}/`, 6)).toEqual({ rs2: 6 });
    await start("rs1");
    await within(5 + 1 + slack, async () =>
      expect(await table()).toEqual({ [server.rs1]: 2, [server.rs2]: 1 }),
    );
    expect(await ask(`http://${vip}/`, 12)).toEqual({ rs1: 8, rs2: 4 });
  });

  it("second edition: three tries, FAIL_BACK while all are down, and a log of who is gone and who is back", async () => {
    await run(
      "director",
      "echo sorry >/var/www/html/index.html; systemctl start nginx; rm -f /var/log/ipvsmonitor.log",
    );
    const health = { interval: 3, check: page, sorryServer: { address: "127.0.0.1" } };
    await stack.program(program(health));
    await stack.up();
    const stopped = await now();
    await stop("rs1");
    await within(3 * 3 + 1 + slack, async () => expect(await table()).toEqual({ [server.rs2]: 1 }));
    const out = (await logged("gone")) - stopped;
    console.log(
      `a real server that was stopped is out after ${out} s, of at most 3 × 3 + 3 on an idle computer`,
    );
    expect(out).toBeGreaterThan(3);
    await stop("rs2");
    await within(3 * 3 + 1 + slack, async () => expect(await table()).toEqual({ "127.0.0.1": 1 }));
    expect(await ask(`http://${vip}/`, 3)).toEqual({ sorry: 3 });
    expect(await status()).toBe(`127.0.0.1:80 sorry\n${server.rs1}:80 down\n${server.rs2}:80 down`);
    await start("rs1");
    await start("rs2");
    await within(3 * 3 + 1 + slack, async () =>
      expect(await table()).toEqual({ [server.rs1]: 2, [server.rs2]: 1 }),
    );
    let log = "";
    await within(slack, async () => {
      log = (await run("director", "cat /var/log/ipvsmonitor.log")).stdout;
      expect(log.trim().split("\n")).toHaveLength(4);
    });
    const line = (address: string, what: string) =>
      expect(log).toMatch(
        new RegExp(`^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d, ${address} is ${what}\\.$`, "m"),
      );
    for (const address of Object.values(server)) for (const what of ["gone", "back"]) line(address, what);
    expect((await run("director", "cat /etc/logrotate.d/pulumi-lvs")).stdout).toMatch(
      /^\/var\/log\/ipvsmonitor\.log \{$/m,
    );
  });

  it("while a server is out, refresh and preview are quiet, and the output shows it", async () => {
    await stop("rs1");
    await within(10 + slack, async () => expect(await table()).toEqual({ [server.rs2]: 1 }));
    const preview = await stack.pulumi("preview", "--refresh", "--expect-no-changes");
    expect(preview.text).not.toMatch(/delete|replace/);
    expect(preview.code).toBe(0);
    await stack.refresh("--expect-no-changes");
    const monitor = (await stack.resources()).find(({ type }) => type.endsWith(":HealthMonitor"));
    expect(monitor?.outputs.health).toEqual({ [`${server.rs1}:80`]: "down", [`${server.rs2}:80`]: "up" });
    expect(Object.keys(monitor?.outputs.reasons ?? {})).toEqual([`${server.rs1}:80`]);
    expect((await stack.pulumi("preview", "--refresh", "--expect-no-changes")).code).toBe(0);
  });

  it("an up during an outage does not let the dead server in, and its changed weight counts once it is back", async () => {
    const health = { interval: 3, check: page, sorryServer: { address: "127.0.0.1" } };
    await stack.program(program(health, { port: 80 }, "", [5, 1]));
    await stack.up();
    expect(await table()).toEqual({ [server.rs2]: 1 });
    await start("rs1");
    await within(10 + slack, async () => expect(await table()).toEqual({ [server.rs1]: 5, [server.rs2]: 1 }));
  });

  it("a maintenance file takes a server out of new connections for as long as it is there", async () => {
    await run(
      "director",
      `mkdir -p /etc/pulumi-lvs/maintenance; touch /etc/pulumi-lvs/maintenance/${server.rs2}`,
    );
    await within(2 + slack, async () => expect(await table()).toEqual({ [server.rs1]: 5, [server.rs2]: 0 }));
    expect((await stack.pulumi("preview", "--refresh", "--expect-no-changes")).code).toBe(0);
    await run("director", "rm -r /etc/pulumi-lvs/maintenance");
    await within(2 + slack, async () => expect(await table()).toEqual({ [server.rs1]: 5, [server.rs2]: 1 }));
  });

  it("an agent that is killed comes back, and mends a table that was flushed by hand meanwhile", async () => {
    const main = "systemctl show -p MainPID --value pulumi-lvs-monitor";
    const { stdout: pid } = await run("director", main);
    await run("director", `kill -9 ${pid.trim()}; ipvsadm -C`);
    await within(6 + slack, async () => expect(await table()).toEqual({ [server.rs1]: 5, [server.rs2]: 1 }));
    expect((await run("director", main)).stdout).not.toBe(pid);
    expect((await stack.pulumi("preview", "--refresh", "--expect-no-changes")).code).toBe(0);
  });

  it("without curl it says so and changes nothing", async () => {
    await run("director", "mv /usr/bin/curl /usr/bin/curl.away");
    await within(3 + slack, async () =>
      expect((await run("director", "cat /run/pulumi-lvs/health")).stdout).toMatch(
        /\tup\t.*\tcannot be checked: curl: not found$/m,
      ),
    );
    await stop("rs1");
    expect(await table()).toEqual({ [server.rs1]: 5, [server.rs2]: 1 });
    await run("director", "mv /usr/bin/curl.away /usr/bin/curl");
    await within(10 + slack, async () => expect(await table()).toEqual({ [server.rs2]: 1 }));
    await start("rs1");
    await within(10 + slack, async () => expect(await table()).toEqual({ [server.rs1]: 5, [server.rs2]: 1 }));
  });

  it("through the VIP: a server that answers by its own address but has lost the VIP counts as down", async () => {
    const health = { interval: 1, fall: 2, rise: 1, check: { ...page, through: "vip" } };
    await stack.program(program(health, { port: 80 }, "", [1, 1]));
    await stack.up();
    await within(10 + slack, async () =>
      expect((await run("director", "cat /run/pulumi-lvs/health")).stdout).toMatch(/up.*\n.*up/),
    );
    await run("rs1", `ip addr del ${vip}/32 dev lo`);
    await within(2 + 3 + slack, async () => expect(await table()).toEqual({ [server.rs2]: 1 }));
    expect(await ask(`http://${server.rs1}/`, 1)).toEqual({ rs1: 1 });
    expect(await ask(`http://${vip}/`, 4)).toEqual({ rs2: 4 });
    // a firewall that is loaded anew takes the path away, and without it a request would reach the server that is well
    const rules = async () =>
      (await run("director", "iptables -t mangle -S OUTPUT | grep -c -- '-j MARK' || :")).stdout.trim();
    expect(await rules()).toBe("2");
    await run("director", "iptables -t mangle -F OUTPUT");
    await within(3 + slack, async () => expect(await rules()).toBe("2"));
    const flushed = await now();
    // more than two rounds
    await within(5 + slack, async () => expect((await now()) - flushed).toBeGreaterThan(5));
    expect(await table()).toEqual({ [server.rs2]: 1 });
    await stack.up("--refresh");
    await within(3 + 3 + slack, async () =>
      expect(await table()).toEqual({ [server.rs1]: 1, [server.rs2]: 1 }),
    );
  });

  it("a check of a connection alone, and one by a command", async () => {
    const health = {
      interval: 1,
      rise: 1,
      fall: 1,
      check: { type: "tcp" },
      servers: {
        [`${server.rs2}:80`]: { type: "command", command: "curl -sf -m 2 http://$ADDRESS/ >/dev/null" },
      },
    };
    await stack.program(program(health, { port: 80 }, "", [1, 1]));
    await stack.up();
    for (const host of ["rs1", "rs2"] as const) {
      await stop(host);
      await within(1 + 3 + slack, async () => expect(Object.keys(await table())).not.toContain(server[host]));
      await start(host);
      await within(1 + 3 + slack, async () => expect(Object.keys(await table())).toContain(server[host]));
    }
  });

  it("https, whose certificate counts where it is told so, and DNS, whose errors do", async () => {
    await run("rs1", tlsSite);
    await run("rs2", `cat >/run/dns.py <<'END'\n${dnsServer}END\necho 0 >/run/rcode; ${startDns}`);
    const tls = { type: "https", port: 8443, path: "/", body: "well" };
    const health = (verify: boolean) => ({
      interval: 5,
      // an emulated machine takes its time over a handshake
      connectTimeout: 5,
      timeout: 5,
      rise: 1,
      fall: 1,
      servers: {
        [`${server.rs1}:80`]: { ...tls, verify },
        [`${server.rs2}:80`]: { type: "dns", port: 5353, query: "www.example.test" },
      },
    });
    const both = { [server.rs1]: 1, [server.rs2]: 1 };
    const reasons = async () => (await run("director", "cut -f 2,3,5 /run/pulumi-lvs/health")).stdout;
    const soon = (holds: () => Promise<void>) => within(5 + 5 + slack, holds);
    await stack.program(program(health(false), { port: 80 }, "", [1, 1]));
    await stack.up();
    await soon(async () => expect(await status()).toBe(`${server.rs1}:80 up\n${server.rs2}:80 up`));
    expect(await table()).toEqual(both);

    await stop("rs1");
    await soon(async () => expect(await table()).toEqual({ [server.rs2]: 1 }));
    await start("rs1");
    await soon(async () => expect(await table()).toEqual(both));

    await run("rs2", "echo 2 >/run/rcode");
    await soon(async () => expect(await reasons()).toMatch(/\.222:80\tdown\tthe answer is error 2$/m));
    expect(await table()).toEqual({ [server.rs1]: 1 });
    await run("rs2", "echo 0 >/run/rcode");
    await soon(async () => expect(await table()).toEqual(both));
    await run("rs2", "systemctl stop lab-dns");
    await soon(async () => expect(await reasons()).toMatch(/\.222:80\tdown\tno answer to the query$/m));
    await run("rs2", startDns);
    await soon(async () => expect(await table()).toEqual(both));

    await stack.program(program(health(true), { port: 80 }, "", [1, 1]));
    await stack.up();
    await soon(async () => expect(await reasons()).toMatch(/\.221:80\tdown\tno answer: .*certificate/m));
    expect(await table()).toEqual({ [server.rs2]: 1 });
    await run("rs1", "rm -r /etc/nginx/conf.d/lab.conf /run/lab-tls; systemctl reload nginx");
    await run("rs2", "systemctl stop lab-dns; rm /run/dns.py /run/rcode");
  }, 900_000);

  it("goes without trace", async () => {
    await stack.destroy();
    await run("director", "systemctl stop nginx");
    await unmark();
    expect(left(clean, await statesOf(hosts))).toEqual([]);
  });

  it("after a reboot of the director, a server that is down is out before the VIP lets anybody in", async () => {
    const health = { interval: 3, check: page, sorryServer: { address: "127.0.0.1" } };
    await stack.program(program(health));
    await stack.up();
    await stop("rs1");
    await reboot("director");
    await restored("director");
    expect(await ask(`http://${vip}/`, 6)).toEqual({ rs2: 6 });
    expect(await table()).toEqual({ [server.rs2]: 1 });
    await start("rs1");
    await within(3 * 3 + 1 + slack, async () =>
      expect(await table()).toEqual({ [server.rs1]: 2, [server.rs2]: 1 }),
    );
    expect((await stack.pulumi("preview", "--refresh", "--expect-no-changes")).code).toBe(0);
    await stack.destroy();
    expect((await run("director", ourFiles)).stdout).toBe("");
  }, 900_000);

  it("with persist: false a reboot of the director leaves nothing of it there", async () => {
    const health = { interval: 3, check: page };
    await stack.program(program(health).replace("vips:", "persist: false, vips:"));
    await stack.up();
    await within(3 + slack, async () =>
      expect(await status()).toBe(`${server.rs1}:80 up\n${server.rs2}:80 up`),
    );
    await reboot("director");
    const ours = `${ourFiles}; systemctl is-active pulumi-lvs-monitor || :`;
    await within(60, async () => expect((await run("director", ours)).stdout).toBe("inactive\n"));
    expect((await run("director", "systemctl is-system-running || :")).stdout.trim()).not.toBe("degraded");
    await stack.destroy();
    expect((await run("director", ours)).stdout).toBe("inactive\n");
  }, 900_000);
});
