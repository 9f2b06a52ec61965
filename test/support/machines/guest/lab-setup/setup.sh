# runs once inside the new root file system, as its root, while the image is built
set -eu
here=/lab-setup

# accounts: keys for root, operator and plain; a password, and nothing else, for secretary
for user in operator plain secretary; do
  # Debian has a group operator already
  getent group "$user" > /dev/null || groupadd "$user"
  useradd --create-home --shell /bin/bash --gid "$user" "$user"
done
chpasswd < $here/secretary.password
for user in root operator plain; do
  home=$(getent passwd "$user" | cut -d : -f 6)
  install -d -m 700 -o "$user" -g "$user" "$home" "$home/.ssh"
  install -m 600 -o "$user" -g "$user" $here/authorized_keys "$home/.ssh/authorized_keys"
done
chmod 440 /etc/sudoers.d/lab
rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
chmod 700 /etc/ssh/host-keys
chmod 600 /etc/ssh/host-keys/*

# services: nothing may load ip_vs at boot, and nothing may slow the boot down
systemctl enable --quiet systemd-networkd ssh
systemctl disable --quiet nginx keepalived bird
update-rc.d ipvsadm disable
systemctl mask --quiet \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
  getty@tty1.service serial-getty@ttyS0.service systemd-logind.service systemd-pstore.service \
  systemd-networkd-wait-online.service systemd-update-utmp.service systemd-update-utmp-runlevel.service \
  hwclock.service keyboard-setup.service console-setup.service

update-initramfs -u
rm -rf $here /var/lib/apt/lists/* /var/cache/apt/*
