#!/usr/bin/env bash
# Installs the local engines that this machine lacks: PostgreSQL, Redis and Consul.
# Nothing is installed system-wide, no service is started and no root is needed:
# Debian's packages are unpacked and Consul is built into one folder of the user's cache.
#
# With the argument "terraform" it makes Terraform or OpenTofu available instead, and
# prints the path of the program to use.
#
#   MERIDIAN_ENGINES          that folder (default: ~/.cache/meridian/engines)
#   MERIDIAN_ENGINES_PRIVATE  1: use this folder even for what the machine has
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
engines=${MERIDIAN_ENGINES:-${XDG_CACHE_HOME:-${HOME:?set HOME or MERIDIAN_ENGINES}/.cache}/meridian/engines}
private=${MERIDIAN_ENGINES_PRIVATE:-}

say() { printf 'engines: %s\n' "$*"; }
fail() { printf 'engines: %s\n' "$*" >&2; exit 1; }
seconds_since() { echo "$((SECONDS - $1)) s"; }

# The first existing program among the arguments; a later one of a glob is a newer one.
newest() {
  local found='' candidate
  for candidate in "$@"; do [[ -x $candidate ]] && found=$candidate; done
  [[ -n $found ]] && printf '%s\n' "$found"
}

on_machine() {
  [[ $private == 1 ]] && return 1
  case $1 in
    # Debian keeps PostgreSQL's server programs out of PATH.
    postgres) command -v postgres || newest /usr/lib/postgresql/*/bin/postgres ;;
    redis) command -v redis-server ;;
    consul) command -v consul ;;
  esac
}

# A Consul built from other sources than ours, as after an upgrade, counts as missing.
consul_stamp() { cat "$here"/consul/server/go.{mod,sum} | cksum; }

installed() {
  case $1 in
    postgres) newest "$engines"/postgres/usr/lib/postgresql/*/bin/postgres ;;
    redis) newest "$engines"/redis/usr/bin/redis-server ;;
    consul)
      [[ -r $engines/consul.stamp && $(<"$engines/consul.stamp") == "$(consul_stamp)" ]] &&
        newest "$engines"/bin/consul ;;
  esac
}

missing=()
survey() {
  missing=()
  local engine path
  for engine in postgres redis consul; do
    if path=$(on_machine "$engine"); then
      say "$engine is on this machine ($path)"
    elif path=$(installed "$engine"); then
      say "$engine is installed ($path)"
    else
      missing+=("$engine")
    fi
  done
}

# --- Debian packages, unpacked privately -------------------------------------------

apt_state=''
apt_options=()

# apt with all of its state in the install folder. It reads the machine's sources and,
# until refreshed, the machine's package lists.
prepare_apt() {
  local tool
  for tool in apt-get dpkg-deb; do
    command -v "$tool" >/dev/null ||
      fail "$1 is missing and so is $tool to get it: install $1 by other means, or name its address in the region file"
  done
  apt_state=$engines/apt
  mkdir -p "$apt_state"/{lists,cache,archives}/partial
  local status=/var/lib/dpkg/status
  if [[ $private == 1 ]]; then
    # What dpkg says is installed is not downloaded, so make it forget the engines.
    awk -v RS= -v ORS='\n\n' '!/^Package: (postgresql|redis)/' \
      "$status" >"$apt_state/status"
    status=$apt_state/status
  fi
  # The hooks that container images come with clean the machine's folders, not ours.
  printf '%s\n' '#clear APT::Update::Post-Invoke;' '#clear DPkg::Post-Invoke;' >"$apt_state/apt.conf"
  apt_options=(
    -c "$apt_state/apt.conf"
    -o "Dir::State=$apt_state" -o "Dir::State::status=$status" -o "Dir::State::lists=/var/lib/apt/lists"
    -o "Dir::Cache=$apt_state/cache" -o "Dir::Cache::archives=$apt_state/archives"
    -o Debug::NoLocking=1 -o Acquire::Languages=none -o Acquire::Retries=3
    -o APT::Get::Assume-Yes=1 -o APT::Install-Recommends=0
  )
  # As root, apt would download as a user that may not write here.
  [[ $(id -u) == 0 ]] && apt_options+=(-o APT::Sandbox::User=root)
  return 0
}

refresh_lists() {
  local began=$SECONDS
  say "fetching Debian's package lists"
  apt_options+=(-o "Dir::State::lists=$apt_state/lists")
  apt-get "${apt_options[@]}" -qq update || fail "apt-get could not fetch the package lists; see above"
  say "fetched the package lists in $(seconds_since "$began")"
}

# The names of what a package needs and the machine lacks, less what an engine that
# we start ourselves has no use for: the packagers' scripts, Perl, and PostgreSQL's
# just-in-time compiler. Never another libc than the running one.
needed_packages() {
  apt-get "${apt_options[@]}" -qq --print-uris install "$1" |
    awk '{ print $2 }' | sed 's/_.*//' |
    grep -E '^(postgresql(-client)?-[0-9]+|redis-(server|tools)|lib.+|zlib1g)$' |
    grep -Ev '^lib(c6|c-bin|gcc-s1|llvm.*|z3-.*|perl.*|.*-perl)$'
}

unpack_packages() { # engine package program
  local engine=$1 package=$2 program=$3 began=$SECONDS stage="$engines/.$1.new" names deb
  rm -rf "$stage"
  mkdir -p "$stage/debs" "$stage/root"
  # The machine's own package lists save a download, unless there are none or they are
  # too old. What goes wrong with them is no news then: only the second try speaks.
  if ! { names=$(needed_packages "$package") &&
    (cd "$stage/debs" && apt-get "${apt_options[@]}" -qq download $names); } 2>/dev/null; then
    refresh_lists
    rm -f "$stage"/debs/*
    names=$(needed_packages "$package") || fail "apt-get knows no package $package; see above"
    (cd "$stage/debs" && apt-get "${apt_options[@]}" -qq download $names) || fail "apt-get could not download $package; see above"
  fi
  for deb in "$stage"/debs/*.deb; do dpkg-deb -x "$deb" "$stage/root"; done

  local binary libraries
  binary=$(newest "$stage/root"/$program) || fail "Debian's package $package holds no $program"
  libraries=$(find "$stage/root" -type d \( -path '*/usr/lib/*-linux-gnu*' -o -path '*/lib/*-linux-gnu*' \) -prune -print | paste -sd:)
  LD_LIBRARY_PATH=$libraries "$binary" --version >/dev/null || fail "$engine was unpacked but does not run; see above"

  rm -rf "${engines:?}/$engine"
  mv "$stage/root" "$engines/$engine"
  rm -rf "$stage"
  say "unpacked $(wc -w <<<"$names") Debian packages for $engine in $(seconds_since "$began")"
}

# --- Consul, built from its Go module ----------------------------------------------

build_consul() {
  local began=$SECONDS
  command -v go >/dev/null || fail "consul is missing and so is go to build it: install Go, or name Consul's address in the region file"
  say "building consul (some minutes the first time; Go's cache keeps the parts)"
  mkdir -p "$engines/bin"
  # No -trimpath: the compiled standard library is then the one that our own build uses.
  GOWORK=off go build -C "$here/consul/server" -buildvcs=false -ldflags='-s -w' \
    -o "$engines/bin/.consul.new" github.com/hashicorp/consul || fail "consul did not build; see above"
  mv "$engines/bin/.consul.new" "$engines/bin/consul"
  consul_stamp >"$engines/consul.stamp"
  say "built consul in $(seconds_since "$began")"
}

# --- Terraform, or OpenTofu built from its Go module --------------------------------

opentofu=v1.12.6

# Of a release that knows write-only arguments, which terraform/local uses.
recent_terraform() {
  local path version
  for path in "$@"; do
    version=$("$path" version 2>/dev/null | sed -nE '1s/^(Terraform|OpenTofu) v([0-9]+\.[0-9]+).*/\2/p')
    if [[ -n $version && $(printf '1.11\n%s\n' "$version" | sort -V | head -n1) == 1.11 ]]; then
      printf '%s\n' "$path"
      return
    fi
  done
  return 1
}

find_terraform() {
  [[ $private != 1 ]] && recent_terraform $(command -v terraform tofu) && return
  [[ -r $engines/tofu.stamp && $(<"$engines/tofu.stamp") == "$opentofu" ]] && newest "$engines/bin/tofu"
}

# OpenTofu's go.mod replaces a module, which `go install` refuses; so it is built in its own folder of Go's module cache.
build_tofu() {
  local began=$SECONDS module source
  command -v go >/dev/null || fail "terraform and tofu are missing and so is go to build tofu: install one of the three"
  say "building OpenTofu $opentofu (about 4 minutes on 2 cores; once)"
  module=$(cd "$engines" && GOWORK=off go mod download -json "github.com/opentofu/opentofu@$opentofu") ||
    fail "OpenTofu could not be downloaded: $module"
  source=$(sed -nE 's/^\s*"Dir": "(.*)",?$/\1/p' <<<"$module")
  mkdir -p "$engines/bin"
  GOWORK=off go build -C "$source" -mod=readonly -buildvcs=false -ldflags='-s -w' \
    -o "$engines/bin/.tofu.new" ./cmd/tofu || fail "OpenTofu did not build; see above"
  mv "$engines/bin/.tofu.new" "$engines/bin/tofu"
  printf '%s\n' "$opentofu" >"$engines/tofu.stamp"
  say "built OpenTofu in $(seconds_since "$began")"
}

if [[ ${1:-} == terraform ]]; then
  say() { printf 'engines: %s\n' "$*" >&2; } # standard output is for the path
  if ! path=$(find_terraform); then
    mkdir -p "$engines"
    exec 9>"$engines/.lock"
    flock 9
    find_terraform >/dev/null || build_tofu >&2
    path=$(find_terraform)
  fi
  say "terraform is $path"
  printf '%s\n' "$path"
  exit
fi

# -----------------------------------------------------------------------------------

survey
((${#missing[@]} == 0)) && exit 0

mkdir -p "$engines"
exec 9>"$engines/.lock"
if ! flock -n 9; then
  say "waiting for another install into $engines"
  flock 9
  survey # it may have done our work
  ((${#missing[@]} == 0)) && exit 0
fi
say "installing into $engines: ${missing[*]}"
for engine in "${missing[@]}"; do
  case $engine in
    postgres | redis) [[ -n $apt_state ]] || prepare_apt "$engine" ;;&
    postgres) unpack_packages postgres postgresql 'usr/lib/postgresql/*/bin/postgres' ;;
    redis) unpack_packages redis redis-server usr/bin/redis-server ;;
    consul) build_consul ;;
  esac
done
rm -rf "${apt_state:-$engines/apt}" # package lists and apt's caches: stale by the next time
say "all engines are ready"
