#!/bin/sh
# Reviews and applies updates of the stacks of this repository, for any CI service. docs/ci.md explains it.
#
#   ci.sh take COMMIT   merges the commit of a pull request into the checked-out branch. Prints `yaml` if it changes
#                       nothing but the project's `config:` of existing stacks, and `code` otherwise.
#   ci.sh kind COMMIT   prints the same of a commit and the checked-out one, and changes nothing.
#   ci.sh preview STACK makes the plan: plan/STACK.md for people, and plan/STACK.json, to which `up` is bound.
#   ci.sh up STACK      runs the update of plan/STACK.json, and nothing else. It rolls back what fails.
#   ci.sh drift STACK   compares hosts with the state. Prints nothing, or what differs, and ends with 7 then.
#   ci.sh name STACK    prints the name under which the plan of this tree is stored.
#
# `up` and `drift` read LVS_SSH_KEY, the text of the private key, or LVS_SSH_KEY_FILE, the name of its file. `up` also reads
# LVS_VERIFY, a command that checks the service after an update. In the repository, ssh_config has HostName and User of each
# host, and known_hosts has their keys.
set -eu

die() {
  printf '%s\n' "ci.sh: $1" >&2
  exit "${2:-1}"
}

# pulumi_lvs ARG...: runs the command of the package that this repository depends on.
pulumi_lvs() { npx --no-install pulumi-lvs "$@"; }

# fixed_lines PROJECT: prints the lines of a stack's file that a pull request may not change. These are the lines outside
# of `config:`, which name secrets providers and environments, and configuration of other packages than PROJECT's. A
# quoted text that goes on in the next line could hide these, so a line whose quotes are not surely closed is fixed too.
fixed_lines() {
  awk -v project="$1" '
    function is_open(line) {
      # a quote may be a part of the name of a tag or an anchor
      if (line ~ /[!&*]/) return line ~ /["\047]/
      gsub(/"(:*[^]["\047,:{}\\ \t]|[^]["\047,:{}\\])*"/, "", line)
      gsub(/\047(:*[^]["\047,:{}\\ \t]|[^]["\047,:{}\\])*\047/, "", line)
      return line ~ /["\047]/
    }
    /^config: *$/ && !parts++ { inside = 1; own = 0; print; next }
    /^[^ #]/ { inside = 0 }
    inside && /^  [A-Za-z0-9._-]/ {
      own = 0
      if (match($0, /^  [A-Za-z0-9._-]+:[A-Za-z0-9._-]+:( |$)/)) {
        split(substr($0, 3), words, ":")
        own = words[1] == "lvs" || words[1] == project
      } else if (match($0, /^  [A-Za-z0-9._-]+:( |$)/)) own = 1
      if (own && !is_open($0)) next
    }
    inside && own && /^(   .*|  +#.*| *)$/ && !is_open($0) { next }
    { print }'
}

# is_plain FILE: whether the file has no characters that some YAML parsers take as the end of a line.
is_plain() {
  breaks=$(printf '[\001-\010\013-\037\177]\\|\302[\200-\237]\\|\342\200[\250\251]')
  ! LC_ALL=C grep -q "$breaks" "$1"
}

# kind_of BASE COMMIT: what a pull request changes.
kind_of() {
  kind=yaml
  project=$(git show "$1:Pulumi.yaml" | sed -n 's/^name: *\([A-Za-z0-9._-]*\) *$/\1/p')
  changed=$(git diff --raw --no-renames --abbrev=40 "$1" "$2")
  tab=$(printf '\t')
  while IFS= read -r line; do
    file=${line#*"$tab"}
    case $line in
      '') continue ;;
      ':100644 100644 '*" M$tab"Pulumi.?*.yaml) ;;
      *) kind=code && break ;;
    esac
    case $file in */* | \"*) kind=code && break ;; esac
    git show "$1:$file" | fixed_lines "$project" >"$work/before"
    git show "$2:$file" >"$work/file"
    fixed_lines "$project" <"$work/file" >"$work/after"
    if ! cmp -s "$work/before" "$work/after" || ! is_plain "$work/file"; then
      kind=code && break
    fi
  done <<END
$changed
END
  printf '%s\n' "$kind"
}

must_have() {
  git rev-parse -q --verify "$1^{commit}" >/dev/null || die "there is no commit $1; fetch it first"
}

kind() {
  must_have "$1"
  kind_of HEAD "$1"
}

take() {
  must_have "$1"
  base=$(git rev-parse HEAD)
  # no content is fetched from where the commit says
  GIT_LFS_SKIP_SMUDGE=1 git -c user.name=ci -c user.email=ci@localhost merge -q --no-edit --no-ff "$1" >&2 ||
    die "cannot merge $1; merge the target branch into it first"
  kind_of "$base" HEAD
}

preview() {
  mkdir -p plan
  rm -f "plan/$1.json" "plan/$1.md"
  # A preview needs no host and no key. What the runner has is out of its reach.
  unset SSH_AUTH_SOCK LVS_SSH_KEY LVS_SSH_KEY_FILE
  # Otherwise Pulumi may look for newer versions, and download plugins that the configuration names.
  export PULUMI_SKIP_UPDATE_CHECK=true PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true
  code=0
  note=
  plan_of "$1" >"$work/plan" || code=$?
  # 13: `up` would refuse a change of it.
  case $code in
    0 | 13)
      if ! check_policies "$1"; then
        code=1
        note="The policies could not be evaluated: see the log of the job."
        # Pulumi's exit code is the same for all failures.
        ! grep -q '^ *- \[mandatory\] ' "$work/evaluated" || note="A policy refuses this update: see the log of the job."
      fi
      ;;
    *)
      : >"$work/plan"
      note="There is no plan: see the log of the job."
      ;;
  esac
  {
    printf '%s\n\n' "### $1"
    cat "$work/plan"
    [ -z "$note" ] || printf '\n%s\n' "$note"
  } >"plan/$1.md"
  [ -z "$note" ] || rm -f "plan/$1.json"
  return $code
}

# check_policies STACK: returns 0 if the update keeps the rules of ci/policy.json, if that file is there.
check_policies() {
  : >"$work/evaluated"
  [ -f ci/policy.json ] || return 0
  pack=node_modules/pulumi-lvs/dist/policy/index.js
  # a checkout of the package itself has it in its own folder
  [ -f "$pack" ] || pack=dist/policy/index.js
  pulumi stack export --stack "$1" >"$work/before.json" || return 1
  evaluated=0
  LVS_POLICY_BEFORE=$work/before.json pulumi preview --non-interactive --color never --stack "$1" \
    --policy-pack-config ci/policy.json --policy-pack "$PWD/$pack" >"$work/evaluated" 2>&1 || evaluated=$?
  cat "$work/evaluated" >&2
  return $evaluated
}

# plan_of STACK: prints the plan for people, and saves the one for `up`.
plan_of() {
  pulumi_lvs plan --stack "$1" --markdown --save "plan/$1.json"
}

# Writes an SSH configuration with the runner's key, into a folder that goes with the script.
reach_hosts() {
  [ -z "${LVS_SSH_CONFIG:-}" ] || return 0
  key=${LVS_SSH_KEY_FILE:-$work/key}
  case $key in /*) ;; *) key=$PWD/$key ;; esac
  if [ -z "${LVS_SSH_KEY_FILE:-}" ]; then
    [ -n "${LVS_SSH_KEY:-}" ] || die "there is no key for the hosts; set LVS_SSH_KEY or LVS_SSH_KEY_FILE"
    printf '%s\n' "$LVS_SSH_KEY" >"$work/key"
  fi
  for file in ssh_config known_hosts; do
    [ -f "$file" ] || die "there is no $file in the repository; see docs/ci.md"
  done
  {
    cat ssh_config
    printf '\n%s\n' "Host *" "  IdentityFile \"$key\"" "  UserKnownHostsFile \"$PWD/known_hosts\"" "  StrictHostKeyChecking yes"
  } >"$work/ssh_config"
  LVS_SSH_CONFIG=$work/ssh_config
  export LVS_SSH_CONFIG
  # The programs that follow have no use for it.
  unset LVS_SSH_KEY
}

is_plan='const { format } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8")) ?? {};
process.exit(String(format).startsWith("pulumi-lvs plan ") ? 0 : 1)'

up() {
  [ -f "plan/$1.json" ] ||
    die "there is no plan/$1.json of this tree; make the preview again, with the target branch merged"
  # Pulumi's own plan binds neither the lines nor the hosts.
  node -e "$is_plan" "plan/$1.json" || die "plan/$1.json is not a plan of pulumi-lvs; make the preview again"
  reach_hosts
  set -- --stack "$1" --plan "plan/$1.json" --yes --skip-preview --non-interactive
  [ -z "${LVS_VERIFY:-}" ] || set -- "$@" --verify "$LVS_VERIFY"
  pulumi_lvs up "$@"
}

drift() {
  reach_hosts
  export PULUMI_SKIP_UPDATE_CHECK=true
  code=0
  pulumi refresh --stack "$1" --preview-only --diff --expect-no-changes --non-interactive --color never \
    >"$work/drift" 2>&1 || code=$?
  [ $code -eq 0 ] && return 0
  # Any other code is a failure of the comparison itself.
  if [ $code -ne 7 ]; then
    cat "$work/drift" >&2
    die "cannot compare the hosts of $1 with the state" $code
  fi
  printf '%s\n\n' "Hosts of \`$1\` differ from its state. \`pulumi up --refresh\` restores what is declared."
  sed 's/^/    /' "$work/drift"
  return 7
}

umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

[ $# -eq 2 ] || die "usage: ci.sh kind COMMIT | take COMMIT | preview STACK | up STACK | drift STACK | name STACK" 2
case $2 in '' | -* | *[!A-Za-z0-9._/-]*) die "$2 is not the name of a stack or a commit" 2 ;; esac
case $1 in
  kind | take | preview | up | drift) "$1" "$2" ;;
  name) printf 'lvs-plan-%s-%s\n' "$2" "$(git rev-parse 'HEAD^{tree}')" ;;
  *) die "$1 is not a command" 2 ;;
esac
