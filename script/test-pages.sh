#!/bin/sh
# test-pages.sh: tests the pages, in Node and in Chromium, unless nothing they depend on has changed since they last passed: as go test does
# with packages. It is run from the checkout's root.
set -eu

passed=web/test/.passed

state=$({
	printf '%s\n' "${HOTFOOT_TESTDATA:-}"
	cat bin/hotfoot
	find web -type d \( -name node_modules -o -name dist -o -name screenshots \) -prune -o -type f ! -name .passed -print | sort | tr '\n' '\0' | xargs -0 cat
} | cksum)

if [ -f "$passed" ] && [ "$(cat "$passed")" = "$state" ]; then
	echo "    nothing has changed since they passed (rm $passed to run them again)"
	exit 0
fi
rm -f "$passed"
script/in.sh web npm test
printf '%s' "$state" >"$passed"
