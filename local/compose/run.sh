#!/usr/bin/env bash
# Starts the engines of compose.yaml and then the shop on them; Ctrl-C stops the shop, and the engines with it. Data stays in Docker's
# volumes: `docker compose --env-file .meridian-compose/compose.env down --volumes` removes it.
set -euo pipefail
cd "$(dirname "$0")/../.."

home=$PWD/.meridian-compose
env_file=$home/compose.env

docker compose version >/dev/null 2>&1 || {
	echo "run-compose: 'docker compose' does not answer. Install Docker with its compose plugin, or use \`make run\`, which needs neither." >&2
	exit 1
}

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# Made once: engines remember the passwords that they were started with.
if [ ! -f "$env_file" ]; then
	umask 077
	mkdir -p "$home"
	us=$(random) eu=$(random) ap=$(random)
	cat >"$env_file.new" <<-ENV
		MERIDIAN_COMPOSE_HOME=$home
		MERIDIAN_COMPOSE_SQL_OWNER=$(random)
		MERIDIAN_COMPOSE_REDIS_US_EAST=$us
		MERIDIAN_COMPOSE_REDIS_EU_WEST=$eu
		MERIDIAN_COMPOSE_REDIS_AP_SOUTHEAST=$ap
		MERIDIAN_COMPOSE_SEARCH_US_EAST=$(random)
		MERIDIAN_COMPOSE_SEARCH_EU_WEST=$(random)
		MERIDIAN_COMPOSE_SEARCH_AP_SOUTHEAST=$(random)
	ENV
	# The launcher adds every other secret to these.
	printf '{"redis": {"us-east": "%s", "eu-west": "%s", "ap-southeast": "%s"}}\n' "$us" "$eu" "$ap" >"$home/secrets.json"
	mv "$env_file.new" "$env_file"
fi
mkdir -p "$home/certificates"

compose() { docker compose --env-file "$env_file" "$@"; }

trap 'echo "==> Stopping the engines"; compose stop' EXIT
echo "==> Starting the engines (the first time Docker fetches about 2 GB)"
compose up --detach
compose run --rm sql-owner

# shellcheck disable=SC1090 # made above
. "$env_file"
export PGSSLROOTCERT=$home/certificates/ca.crt
export MERIDIAN_SQL_ADMIN_URL="postgres://meridian_owner:$MERIDIAN_COMPOSE_SQL_OWNER@127.0.0.1:27101/defaultdb?sslmode=verify-full"
bin/meridian --home "$home" --regions-dir local/compose up --seed "$@"
