#!/bin/sh
# script/setup-debian.sh THING...   (as root; a thing is postgres, redis, node, chromium or compiler)
#
# Installs packages without what Debian does beside: the postgresql and redis-server packages start a server each, and have it
# started at every boot. Servers that were there before are left as they are.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=script/versions.sh
. "$here/versions.sh"

fail() {
	printf 'setup: %s\n' "$*" >&2
	exit 1
}

candidate() { apt-cache policy "$1" | sed -n 's/^ *Candidate: *//p' | grep -v '(none)'; }

# Debian's npm is of Debian's nodejs; a nodejs from elsewhere brings its own and conflicts with it.
node_packages() {
	version=$(candidate nodejs) || version=none
	node_fits "$version" || fail "Node 20.19 or newer is missing, and apt has $version. Install it from https://nodejs.org/en/download"
	case $version in
	*nodesource*) echo nodejs ;;
	*) echo nodejs npm ;;
	esac
}

# Ubuntu has it only as a snap.
chromium_package() {
	candidate chromium >/dev/null || fail 'apt has no Chromium here. Install Google Chrome: https://www.google.com/chrome/'
	echo chromium
}

packages() { # THING...
	for thing; do
		case $thing in
		postgres) echo postgresql ;;
		redis) echo redis-server ;;
		node) node_packages ;;
		chromium) chromium_package ;;
		compiler) echo gcc libc6-dev ;;
		*) fail "no such thing: $thing" ;;
		esac
	done
}

made=
make_file() { # PATH CONTENT: until we are done. What exists stays: whoever made it knows what they want.
	[ ! -e "$1" ] || return 0
	mkdir -p "${1%/*}"
	made="$made $1"
	printf '%s\n' "$2" >"$1"
	chmod 755 "$1"
}
# The names are separate words without spaces.
# shellcheck disable=SC2086
trap 'rm -f $made' EXIT
trap 'exit 130' INT TERM HUP

printf 'setup: installing %s\n' "$*"
export DEBIAN_FRONTEND=noninteractive
# Not fatal: one broken source must not hide the packages that the others have.
apt-get -qq update || printf 'setup: apt-get update failed; trying with the lists that are there\n' >&2
list=$(packages "$@")

# Nothing is started now ...
make_file /usr/sbin/policy-rc.d '#!/bin/sh
exit 101'
# ... and nothing at boot: Postgres has no cluster, and Redis is disabled, unless they were here before.
make_file /etc/postgresql-common/createcluster.d/hotfoot-setup.conf 'create_main_cluster = false'
had_redis=$(command -v redis-server) || had_redis=

# The names are separate words.
# shellcheck disable=SC2086
apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 install -y --no-install-recommends $list

if [ -z "$had_redis" ] && [ -e /etc/init.d/redis-server ]; then
	update-rc.d redis-server disable
fi
