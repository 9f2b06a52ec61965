# The part of the functions that installed files have, too, is in a variable: scripts write it into these files.
eval "$prelude"
# A profile may have set these.
set +efu
LC_ALL=C
export LC_ALL PATH
