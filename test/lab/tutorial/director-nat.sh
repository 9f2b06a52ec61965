# LVS/NAT, the director: the commands of the tutorial's script, start)
VIP=192.168.0.219
RIP1=192.168.10.11
RIP2=192.168.10.12
/sbin/ifconfig eth0:1 $VIP netmask 255.255.255.0 up
echo 1 > /proc/sys/net/ipv4/ip_forward
/sbin/iptables -F
/sbin/iptables -Z
/sbin/ipvsadm -C
/sbin/ipvsadm -A -t $VIP:80 -s rr
/sbin/ipvsadm -a -t $VIP:80 -r $RIP1 -m
/sbin/ipvsadm -a -t $VIP:80 -r $RIP2 -m
/bin/touch /var/lock/subsys/ipvsadm.lock
