# Installs $packages as root by the host's own package manager. apt removes no package for them, and takes no name with
# a dot for a pattern.
# shellcheck disable=SC2016 # the shell of root expands it
install='
  cd / && set -- $1 || exit
  if command -v apt-get >/dev/null; then
    apt-get update -q && DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-remove -o APT::Cmd::Pattern-Only=true "$@"
  elif command -v dnf >/dev/null; then dnf install -y "$@"; else apk add "$@"; fi
'
if [ "$(id -u)" = 0 ]; then sh -c "$install" sh "$packages"; else sudo -n sh -c "$install" sh "$packages"; fi
