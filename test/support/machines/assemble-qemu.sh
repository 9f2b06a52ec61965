# stdin: the root file system as tar; stdout: tar of base.qcow2, vmlinuz, initrd. Runs as root or as root of a user namespace
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tree" "$work/out"
tar --extract --numeric-owner --exclude='./dev/*' --directory "$work/tree"
# mmdebstrap empties or copies these from the building machine; an empty machine-id would re-enable every service at first boot
echo 6c61622d70756c756d692d6c76730a00 > "$work/tree/etc/machine-id"
: > "$work/tree/etc/resolv.conf"
echo localhost > "$work/tree/etc/hostname"
cp "$work"/tree/boot/vmlinuz-* "$work/out/vmlinuz"
cp "$work"/tree/boot/initrd.img-* "$work/out/initrd"
# mke2fs greets on stdout even when quiet
mke2fs -q -t ext4 -E root_owner=0:0 -d "$work/tree" "$work/base.ext4" 1200M >&2
qemu-img convert -f raw -O qcow2 "$work/base.ext4" "$work/out/base.qcow2"
tar --create --directory "$work/out" base.qcow2 vmlinuz initrd
