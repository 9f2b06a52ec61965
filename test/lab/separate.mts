import { run } from "../support/machines/lab.mts";

/**
 * Makes a real server of its own in a name space of rs2, with an address beside that of rs2 and its own table of
 * connections. It has the VIP, is silent about it, and answers with its name.
 */
export const separateServer = (name: string, address: string, vip: string) =>
  run(
    "rs2",
    `set -e
modprobe macvlan
ip netns add ${name}
ip link add link eth1 name eth1 netns ${name} type macvlan mode bridge
for f in all eth1; do ip netns exec ${name} sysctl -q -w net.ipv4.conf.$f.arp_ignore=1 net.ipv4.conf.$f.arp_announce=2; done
for l in lo eth1; do ip -n ${name} link set $l up; done
ip -n ${name} addr add ${address}/24 dev eth1
ip -n ${name} addr add ${vip}/32 dev lo
cat >/tmp/${name}.conf <<'NGINX'
pid /tmp/${name}.pid;
error_log /tmp/${name}.log;
events {}
http { access_log off; server { listen 80; location / { return 200 "${name}\\n"; } } }
NGINX
ip netns exec ${name} nginx -c /tmp/${name}.conf`,
  );
