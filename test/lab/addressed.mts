import { type HostName, hosts, run } from "../support/machines/lab.mts";

const own: Partial<Record<HostName, readonly string[]>> = {
  client: ["fd00:77::100"],
  director: ["fd00:77::200", "fd00:88::10"],
  rs1: ["fd00:77::221", "fd00:88::11"],
  rs2: ["fd00:77::222", "fd00:88::12"],
};

/** Gives each host IPv6 addresses beside those of IPv4: of eth1, then of eth2. They survive a reboot and a power cut. */
export const addressed = () =>
  Promise.all(
    hosts.map((host) =>
      run(
        host,
        (own[host] ?? [])
          .map((address, i) => {
            const folder = `/etc/systemd/network/20-${host}-eth${i + 1}.network.d`;
            return `mkdir -p ${folder}; printf '[Network]\\nAddress=${address}/64\\n' >${folder}/six.conf
ip addr replace ${address}/64 dev eth${i + 1} nodad`;
          })
          .concat("sync")
          .join("\n"),
      ),
    ),
  );
