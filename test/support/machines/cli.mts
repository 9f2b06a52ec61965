import { spawnSync } from "node:child_process";
import { choose } from "./choose.mts";
import { step } from "./command.mts";
import { down, type HostName, hosts, reset, sshConfigPath, status, unsupported, up } from "./lab.mts";
import { labNumber } from "./paths.mts";

const usage = `usage: npm run lab -- up | down | reset [host…] | status | ssh host [command…]   (hosts: ${hosts.join(", ")})`;

const isHost = (word: string): word is HostName => hosts.some((host) => host === word);

const printStatus = async () => {
  const { name, why } = choose();
  console.log(`engine   ${name} (${why}), lab ${labNumber()}`);
  for (const { host, pid, port, addresses } of await status())
    console.log(
      [
        host.padEnd(8),
        (pid ? `running pid ${pid}` : "stopped").padEnd(18),
        `ssh 127.0.0.1:${port ?? "-"}`,
        ...Object.entries(addresses).map(([network, address]) => `${network} ${address}`),
      ].join("  "),
    );
  console.log(`SSH      ${sshConfigPath()} (for LVS_SSH_CONFIG, or ssh -F)`);
};

const [verb, ...words] = process.argv.slice(2);

const main = async (): Promise<number> => {
  const reason = unsupported();
  if (reason) throw new Error(reason);
  if (verb === "up") await up(console.log);
  else if (verb === "down") await step(console.log, "stopping", down);
  else if (verb === "reset" && words.every(isHost))
    await step(console.log, "resetting", () => reset(words.length > 0 ? words : hosts));
  else if (verb === "ssh" && isHost(words[0] ?? ""))
    return spawnSync("ssh", ["-F", sshConfigPath(), ...words], { stdio: "inherit" }).status ?? 255;
  else if (verb !== "status") throw new Error(usage);
  if (verb === "up" || verb === "status") await printStatus();
  return 0;
};

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
