#!/bin/sh
# script/lint-format.sh   lists the Go files that gofumpt would change, and fails when there are any.
set -eu

unformatted=$(find . -path ./web/node_modules -prune -o -name '*.go' -exec go tool -modfile=script/tools/go.mod gofumpt -l {} +)
[ -z "$unformatted" ] || {
	printf 'not formatted; run gofumpt -w on:\n%s\n' "$unformatted" >&2
	exit 1
}
