/**
 * Shell text that unloads a module and all that hold it. It fails if the module is still there after ten seconds. A network
 * namespace that was deleted holds its modules until the kernel has cleaned up.
 */
export const unloading = (module: string): string => `
unload() {
  [ -d "/sys/module/$1" ] || return 0
  for m in $(ls "/sys/module/$1/holders"); do unload "$m"; done
  rmmod "$1" 2>/dev/null
}
tries=100
while [ -d /sys/module/${module} ] && [ $tries -gt 0 ]; do
  unload ${module}; tries=$((tries - 1)); sleep 0.1
done
[ ! -d /sys/module/${module} ]`;
