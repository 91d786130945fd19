#!/bin/sh
# script/lint-vulnerabilities.sh   asks whether anything known is wrong with what the product stands on, and fails when there is. It is run from the
# checkout's root. GOVULNDB names another database of Go's, such as a mirror.
#
# A machine that reaches no database is told that nothing was checked, and does not fail: nobody could work on a train, and a change is no less
# safe than what it is based on. What can be said without a database is whether the sources are those that go.sum and package-lock.json name:
# go mod verify says so of the one, npm ci of the other.
set -eu

go mod verify >/dev/null

log=$(mktemp "${TMPDIR:-/tmp}/hotfoot-vulnerabilities.XXXXXX")
trap 'rm -f "$log"' EXIT

status=0
go tool -modfile=script/tools/go.mod govulncheck -db "${GOVULNDB:-https://vuln.go.dev}" ./... >"$log" 2>&1 || status=$?
if grep -q '^govulncheck: fetching vulnerabilities:' "$log"; then
	echo "    NOT CHECKED: Go's database of vulnerabilities cannot be reached ($(sed -n 's/.*: \(.*\)$/\1/p' "$log" | head -n 1))"
elif [ "$status" != 0 ]; then
	cat "$log" >&2
	exit 1
fi

status=0
script/in.sh web npm audit --json >"$log" 2>/dev/null || status=$?
if ! grep -q '"auditReportVersion"' "$log"; then
	echo "    NOT CHECKED: npm's registry answers no audits here"
elif [ "$status" != 0 ]; then
	cat "$log" >&2
	exit 1
fi
