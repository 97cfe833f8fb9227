#!/usr/bin/env bash
# Shows on this machine, with the real program and the real provider, what README.md promises. It works in a folder of its own,
# on ports of its own, beside any copy that runs, and leaves nothing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
began=$SECONDS
step() { printf '\n==> [%3d s] %s\n' "$((SECONDS - began))" "$*"; }
fact() { printf '    %s\n' "$*"; }
fail() { printf '\nterraform-local-check: %s\n' "$*" >&2; exit 1; }

# --- The programs, and a checkout in small to work in --------------------------------

step "Readying meridian, terraform and the provider"
work=$(mktemp -d "${TMPDIR:-/tmp}/meridian-terraform.XXXXXX")
home=$work/.meridian # where the defaults of variables.tf put it
finish() {
  local code=$?
  trap - EXIT INT TERM
  if ((code != 0)); then tail -n 20 "$home/up.log" 2>/dev/null | sed 's/^/    /' >&2 || true; fi
  if [[ -d $home ]]; then "$root/bin/meridian" --home "$home" down >/dev/null || true; fi
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

terraform=$(bash "$here/prepare.sh")
mkdir -p "$work/terraform/local" "$work/regions"
cp "$here"/*.tf "$work/terraform/local/"
cp "$root"/regions/*.yaml "$work/regions/"
ln -s "$root/bin" "$work/bin"
ln -s "$here/terraform.d" "$work/terraform/local/terraform.d"
cd "$work"
export TF_IN_AUTOMATION=1 TF_INPUT=0 TF_CLI_CONFIG_FILE=/dev/null
unset MERIDIAN_HOME

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
free_base() {
  local base offset
  for ((base = 24000; base < 32000; base += 200)); do
    for ((offset = 0; offset < 100; offset++)); do listens $((base + offset)) && continue 2; done
    echo "$base"
    return
  done
  fail "there are no hundred free ports in a row between 24000 and 32000"
}
port=$(free_base)
edge=http://127.0.0.1:$port

# --- What is looked at ---------------------------------------------------------------

tf() { "$terraform" -chdir=terraform/local "$@" -no-color -var "base_port=$port"; }

# apply REGION [option…] applies and leaves "N added, N changed, N destroyed" in $summary.
apply() {
  local region=$1 from=$SECONDS
  shift
  tf apply -auto-approve -var "region=$region" "$@" >last.log 2>&1 || fail "apply -var region=$region failed: $(cat last.log)"
  summary=$(sed -nE 's/^Apply complete! Resources: (.*)\.$/\1/p' last.log)
  fact "apply -var region=$region: $summary, in $((SECONDS - from)) s"
}

# drifts REGION [option…] says whether a plan would change something.
drifts() {
  local region=$1 code=0
  shift
  tf plan -detailed-exitcode -var "region=$region" "$@" >last.log 2>&1 || code=$?
  case $code in
    0) return 1 ;;
    2) fact "plan: $(grep -E '^  # .*(will be|must be|has been|has changed)' last.log | sed 's/^  # //' | paste -sd';' | sed 's/;/; /g')" ;;
    *) fail "plan failed: $(cat last.log)" ;;
  esac
}

# eventually SECONDS COMMAND… tries until the command succeeds.
eventually() {
  local until=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < until)) || return 1
    sleep 0.1
  done
}

# served_by LOCATION REGION: whether a shopper there is served, and by that region.
served_by() {
  curl -fsS --max-time 2 -D "$work/headers" -o "$work/body" -H "X-Edge-Location: $1" "$edge/api/v1/regions" 2>/dev/null &&
    grep -qi "^x-region: $2" "$work/headers"
}
serves() {
  eventually 20 served_by "$1" "$2" || fail "a shopper in $1 is not served by $2 through the edge at $edge"
  fact "$2 serves shoppers in $1 through the edge"
}

meridian() { bin/meridian --home "$home" "$@"; }

# The launcher, and every process that it marked as this home's.
launcher_pid() { tr -d ' \n' <"$home/state.json" | sed -nE 's/.*"up":\{[^}]*"pid":([0-9]+).*/\1/p'; }
marked_pids() { grep -lzE "^MERIDIAN_PROCESS=$home\|$1" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 || true; }

# --- What must show ------------------------------------------------------------------

step "The provider's own tests, and the configuration's form"
(cd "$root/terraform/provider" && GOWORK=off go test ./... | sed 's/^/    /')
"$terraform" fmt -check -diff "$here" || fail "terraform fmt would change the files above"
(cd terraform/local && "$terraform" init -no-color) >last.log 2>&1 || fail "init failed: $(cat last.log)"
"$terraform" -chdir=terraform/local validate -no-color | sed 's/^/    /'

step "apply starts a region that serves"
apply eu-west
[[ $summary == "2 added, 0 changed, 0 destroyed" ]] || fail "it should have added the shop and one region"
serves DUB eu-west
meridian seed --products 40 | sed 's/^/    /'

step "A second apply changes nothing"
apply eu-west
[[ $summary == "0 added, 0 changed, 0 destroyed" ]] || fail "the second apply changed something"
grep -q '^No changes' last.log || fail "it does not say that there are no changes"

step "One process that is killed comes back by itself: no drift"
kill -9 $(marked_pids eu-west/region)
drifts eu-west && fail "the copy did not mend itself"
fact "plan: no changes"
serves DUB eu-west

step "A region that was stopped behind Terraform's back is drift, and apply repairs it"
meridian region stop eu-west | sed 's/^/    /'
drifts eu-west || fail "the plan does not see that the region is gone"
apply eu-west
serves DUB eu-west

step "A region that hangs is drift, and apply repairs it"
kill -STOP $(marked_pids eu-west/region)
drifts eu-west || fail "the plan does not see that the region hangs"
apply eu-west
serves DUB eu-west

step "Three applies make one shop"
apply us-east
apply ap-southeast
serves DUB eu-west
serves IAD us-east
serves SIN ap-southeast
slug=$(curl -fsS "$edge/api/v1/products?limit=1" | sed -nE 's/.*"slug":"([^"]+)".*/\1/p')
for i in 1 2 3; do
  curl -fsS -o /dev/null "http://127.0.0.1:$((port + 20 + i))/api/v1/products/$slug" || fail "gateway $i does not have the product $slug"
done
fact "each region's own gateway sells $slug, which was seeded when there was one region"
knows_all() { [[ $(curl -fsS "http://127.0.0.1:$((port + 31))/v1/catalog/datacenters" | grep -oE '"[^"]+"' | wc -l) == 3 ]]; }
eventually 20 knows_all || fail "the Consuls do not know each other"
healthy_all() { [[ $(curl -fsS -H 'X-Edge-Location: IAD' "$edge/api/v1/regions" | grep -oE '"healthy":true' | wc -l) == 3 ]]; }
eventually 20 healthy_all || fail "us-east does not see three healthy regions"
fact "the three Consuls know each other, and each region is healthy as the others see it"
apply eu-west
[[ $summary == "0 added, 0 changed, 0 destroyed" ]] || fail "an apply for a region that runs changed something"

step "A copy that is killed outright is drift, and apply repairs all of it"
kill -9 "$(launcher_pid)"
kill -9 $(marked_pids '')
drifts us-east || fail "the plan does not see that everything was killed"
apply us-east
serves DUB eu-west
serves IAD us-east
serves SIN ap-southeast
curl -fsS -o /dev/null "$edge/api/v1/products/$slug" || fail "the product $slug was lost"
fact "$slug is still sold"

step "One region leaves, the others stay"
apply eu-west -var 'leave=["ap-southeast"]'
[[ $summary == "0 added, 1 changed, 1 destroyed" ]] || fail "it should have stopped one region"
drifts eu-west && fail "the next plan would bring it back"
fact "plan: no changes, so it does not come back"
[[ -z $(marked_pids ap-southeast/) ]] || fail "processes of ap-southeast are left"

step "destroy leaves nothing"
launcher=$(launcher_pid)
from=$SECONDS
tf destroy -auto-approve >last.log 2>&1 || fail "destroy failed: $(cat last.log)"
fact "$(sed -nE 's/^(Destroy complete!.*)$/\1/p' last.log) In $((SECONDS - from)) s"
left=$(marked_pids '')
[[ -z $left ]] || fail "processes are left: $left"
ended() { ! grep -qsE '^[0-9]+ .*\) [^ZX] ' "/proc/$1/stat"; } # one that nobody has collected yet has ended too
eventually 5 ended "$launcher" || fail "the launcher is left: $launcher"
[[ ! -e $home/control.sock ]] || fail "the control socket is left"
for ((offset = 0; offset < 100; offset++)); do
  if listens $((port + offset)); then fail "something still listens on $((port + offset))"; fi
done
[[ -z $("$terraform" -chdir=terraform/local state list) ]] || fail "the state is not empty"
fact "no process, no socket, no listener, an empty state; the data stays in the home until it is deleted"

printf '\nAll of it holds, shown in %d s.\n' "$((SECONDS - began))"
