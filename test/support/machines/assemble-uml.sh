# $1: tar of the kernel's modules; $2: tar of files for User-Mode Linux; stdin: the root file system as tar; stdout: tar of
# base.ext4. Runs as root or as root of a user namespace
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tree" "$work/out"
# the kernel of the other engine is as large as all the rest
tar --extract --numeric-owner --exclude='./dev/*' --exclude='./boot/*' --exclude='./lib/modules/*' \
  --exclude='./usr/lib/modules/*' --directory "$work/tree"
tar --extract --numeric-owner --directory "$work/tree/usr" --file "$1"
tar --extract --numeric-owner --no-overwrite-dir --directory "$work/tree" --file "$2"
# mmdebstrap empties or copies these from the building machine; an empty machine-id would re-enable every service at first boot
echo 6c61622d70756c756d692d6c76730a00 > "$work/tree/etc/machine-id"
: > "$work/tree/etc/resolv.conf"
echo localhost > "$work/tree/etc/hostname"
system=$work/tree/etc/systemd/system
mkdir -p "$system/sysinit.target.wants"
ln -s ../lab-cards.service "$system/sysinit.target.wants/"
# a reset is a start, and these take most of one without a use in here
for unit in systemd-binfmt.service modprobe@configfs.service modprobe@dm_mod.service modprobe@fuse.service \
  modprobe@loop.service modprobe@drm.service modprobe@efi_pstore.service systemd-udev-trigger.service dev-mqueue.mount \
  dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount systemd-network-generator.service \
  systemd-pstore.service systemd-random-seed.service systemd-sysusers.service systemd-journal-flush.service \
  kmod-static-nodes.service sys-kernel-config.mount systemd-remount-fs.service systemd-modules-load.service \
  systemd-tmpfiles-setup-dev.service cryptsetup.target integritysetup.target veritysetup.target getty.target \
  proc-sys-fs-binfmt_misc.automount sys-fs-fuse-connections.mount systemd-ask-password-console.path \
  systemd-ask-password-wall.path systemd-initctl.socket systemd-firstboot.service systemd-machine-id-commit.service \
  systemd-repart.service systemd-pcrphase.service systemd-pcrphase-sysinit.service systemd-tmpfiles-clean.timer; do
  ln -sf /dev/null "$system/$unit"
done
ln -sf /lib/systemd/system/multi-user.target "$system/default.target"
# without PAM, sshd refuses keys of accounts whose password is locked (!); with * they have none
sed -i -E 's/^(operator|plain):!:/\1:*:/' "$work/tree/etc/shadow"
# these run at each login, and take a fifth of its time
rm -f "$work"/tree/etc/update-motd.d/*
# these run at each start and at each daemon-reload
mkdir -p "$work/tree/etc/systemd/system-generators"
for name in cryptsetup debug fstab getty gpt-auto hibernate-resume integritysetup rc-local run system-update veritysetup; do
  ln -sf /dev/null "$work/tree/etc/systemd/system-generators/systemd-$name-generator"
done
# mke2fs greets on stdout even when quiet
mke2fs -q -t ext4 -E root_owner=0:0 -d "$work/tree" "$work/out/base.ext4" 1200M >&2
tar --create --sparse --directory "$work/out" base.ext4
