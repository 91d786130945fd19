#!/bin/sh
# script/step.sh TEXT COMMAND...   says what is being done, and while it takes long, that it still is.
set -u

printf '==> %s\n' "$1"
shift

(
	trap 'kill "$nap"; exit' TERM
	waited=0
	while kill -0 $$ 2>/dev/null; do
		sleep 10 &
		nap=$!
		wait "$nap"
		waited=$((waited + 10))
		printf '    still at it, %s s\n' "$waited"
	done
) &
heart=$!
trap 'kill "$heart" 2>/dev/null' EXIT
trap 'exit 130' INT

"$@"
