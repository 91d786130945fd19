#!/bin/sh
# script/fuzz.sh TIME [PATTERN]   runs each fuzz target whose name matches for a time such as 30s, or a number of executions such as 500x, and says
# what each did. It fails when one finds something; the input that shows it then lies in the package's testdata/fuzz, and go test fails with it.
#
# What a run with a time has learned is kept in Go's cache, and the next one goes on from there. A run with a number begins with the seeds, so that
# it takes as long today as tomorrow; and it is not told which code an input reaches, since for that all code would be compiled once more: it is for a
# few hundred inputs.
set -eu

time=$1
pattern=${2:-.}
folder=$(mktemp -d "${TMPDIR:-/tmp}/hotfoot-fuzz.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
learned=$(go env GOCACHE)/fuzz/hotfoot
reached=-fuzz=.
case $time in *x) learned=$folder/learned reached= ;; esac

targets=0 executions=0 failed=0
for package in $(grep -rlE --include='*_test.go' --exclude-dir=node_modules "^func Fuzz" . | xargs -n 1 dirname | sort -u); do
	names=$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$package"/*_test.go | grep -E "$pattern" || true)
	[ -n "$names" ] || continue
	# Compiled once for all targets of a package; go test would do it for each.
	go test -vet=off -c ${reached:+"$reached"} -o "$folder/test" "$package" >/dev/null
	for name in $names; do
		log=$folder/log
		status=0
		(cd "$package" && exec "$folder/test" -test.run '^$' -test.fuzz "^$name\$" -test.fuzztime "$time" -test.fuzzcachedir "$learned/$package") >"$log" 2>&1 || status=$?
		done=$(sed -n 's/.*execs: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
		new=$(sed -n 's/.*new interesting: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
		printf '    %-24s %-30s %12s executions, %4s new inputs\n' "$name" "${package#./}" "${done:-0}" "${new:-0}"
		# Go says this when the time ends while a worker is being asked, and it is nothing that a target did (https://go.dev/issue/75804).
		if [ "$status" != 0 ] && grep -q '^ *context deadline exceeded$' "$log" && ! grep -q 'Failing input' "$log"; then
			status=0
		fi
		if [ "$status" != 0 ]; then
			failed=$((failed + 1))
			grep -vE '^fuzz: (elapsed|minimizing)' "$log" | head -n 40 >&2
		fi
		targets=$((targets + 1)) executions=$((executions + ${done:-0}))
	done
done
printf '    %d targets, %d executions, %d with a finding\n' "$targets" "$executions" "$failed"
[ "$targets" -gt 0 ] && [ "$failed" = 0 ]
