#!/bin/sh
# script/setup.sh demo|test
#
# Installs what is missing to run the demo, or the tests; says nothing and does nothing when all is there. Go is only looked
# for: everybody has their own way to install it. No system service is started, stopped or enabled: Hotfoot runs its own
# servers, as child processes.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=script/versions.sh
. "$here/versions.sh"

fail() {
	printf 'setup: %s\n' "$*" >&2
	exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

check_go() {
	has go || fail 'Go is missing. Install Go 1.26 or newer: https://go.dev/dl/'
	# Since 1.21 an older Go fetches the one that go.mod asks for.
	at_least 1.21 "$(go env GOVERSION)" || fail "$(go env GOVERSION) is too old. Install Go 1.26 or newer: https://go.dev/dl/"
}

has_postgres() {
	if [ -n "${PGBIN:-}" ]; then
		[ -x "$PGBIN/initdb" ]
		return
	fi
	for program in /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb \
		/opt/homebrew/opt/postgresql@*/bin/initdb /usr/local/opt/postgresql@*/bin/initdb; do
		[ ! -x "$program" ] || return 0
	done
	has initdb
}

has_redis() { has redis-server || has valkey-server; }

has_node() { has node && has npm && node_fits "$(node --version)"; }

has_chromium() {
	has chromium || has chromium-browser || has google-chrome || has google-chrome-stable ||
		[ -d '/Applications/Chromium.app' ] || [ -d '/Applications/Google Chrome.app' ]
}

# For go test -race.
has_compiler() { has cc || has gcc || has clang; }

# missing PURPOSE lists what is not there.
missing() {
	for thing in postgres redis node; do
		"has_$thing" || printf '%s ' "$thing"
	done
	[ "$1" = test ] || return 0
	for thing in chromium compiler; do
		"has_$thing" || printf '%s ' "$thing"
	done
}

install_debian() { # THING...
	if [ "$(id -u)" -eq 0 ]; then
		"$here/setup-debian.sh" "$@"
	elif has sudo && sudo -n true 2>/dev/null; then
		sudo -n "$here/setup-debian.sh" "$@"
	else
		fail "this needs root once. Run the following, then try again:

    sudo $here/setup-debian.sh $*"
	fi
}

# brew install starts no service.
install_macos() { # THING...
	has brew || fail "missing: $*. Install Homebrew (https://brew.sh), then try again."
	for thing; do
		printf 'setup: installing %s\n' "$thing"
		case $thing in
		postgres) brew install postgresql@15 ;;
		redis) brew install redis ;;
		node) brew install node ;;
		chromium) brew install --cask google-chrome ;;
		compiler) fail 'a C compiler is missing. Install it with: xcode-select --install' ;;
		esac
	done
}

case ${1:-} in
demo | test) ;;
*) fail "usage: $0 demo|test" ;;
esac

check_go
# The names are separate words.
# shellcheck disable=SC2046
set -- $(missing "$1")
[ $# -gt 0 ] || exit 0

if has apt-get; then
	install_debian "$@"
elif [ "$(uname)" = Darwin ]; then
	install_macos "$@"
else
	fail "please install: $* (PostgreSQL; Redis or Valkey; Node 20.19 or newer, with npm)"
fi
