# shellcheck shell=sh
# Sourced: which versions will do.

# at_least WANTED FOUND compares major.minor; FOUND may have more around it, such as v20.19.3 or go1.26.8.
at_least() {
	found=$(printf '%s\n' "$2" | sed -n 's/^[^0-9]*\([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p')
	[ -n "$found" ] || return 1
	[ "${found%.*}" -gt "${1%.*}" ] || { [ "${found%.*}" -eq "${1%.*}" ] && [ "${found#*.}" -ge "${1#*.}" ]; }
}

# node_fits VERSION: what Vite asks for, 20.19 and later, but of 21 and 22 only 22.12 and later.
node_fits() {
	at_least 22.12 "$1" || { at_least 20.19 "$1" && ! at_least 21.0 "$1"; }
}
