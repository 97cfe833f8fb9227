#!/usr/bin/env bash
# Readies terraform/local: bin/meridian, its engines, terraform or tofu, and our provider where they look for providers.
# Afterwards `terraform -chdir=terraform/local apply -var region=eu-west` works as it stands. Prints the program to use.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
version=0.1.0 # as in versions.tf
say() { printf 'terraform: %s\n' "$*" >&2; }

bash "$root/local/engine/install.sh" >&2
terraform=$(bash "$root/local/engine/install.sh" terraform)

say "building bin/meridian"
go build -C "$root" -o bin/meridian .

say "building the provider (about a minute the first time)"
platform=$(go env GOOS)_$(go env GOARCH)
folder=$here/terraform.d/plugins/meridian.internal/meridian/meridian/$version/$platform
mkdir -p "$folder"
# Without stamps, the same sources give the same bytes, and Terraform sees no other provider.
GOWORK=off go build -C "$here/../provider" -trimpath -buildvcs=false -o "$folder/.new" .
provider=$folder/terraform-provider-meridian_v$version
if cmp -s "$folder/.new" "$provider" && [[ -d $here/.terraform && -f $here/.terraform.lock.hcl ]]; then
  rm "$folder/.new"
else
  mv "$folder/.new" "$provider"
  rm -f "$here/.terraform.lock.hcl"
fi
# Not by -chdir: terraform looks for terraform.d before it changes the folder. And not with the user's settings,
# which may name the only places where providers come from.
said=$(cd "$here" && TF_CLI_CONFIG_FILE=/dev/null "$terraform" init -input=false -no-color 2>&1) || {
  printf '%s\n' "$said" >&2
  exit 1
}
say "terraform/local is initialized"
printf '%s\n' "$terraform"
