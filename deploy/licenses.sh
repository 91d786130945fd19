#!/bin/sh
# deploy/licenses.sh go|npm DIR
#
# Copies the license and notice of everything that is built into the program to DIR: of the Go modules that ./cmd/hotfoot is
# compiled from, or of the npm packages that the pages in web are built from. Whoever passes the program on must pass them on.
set -eu

listed() {
	case $1 in
	go) go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' ./cmd/hotfoot | sort -u ;;
	npm) (cd web && npm ls --all --omit=dev --parseable --long) | awk -F : '$1 ~ /node_modules/ { print $2, $1 }' ;;
	*) echo "usage: $0 go|npm DIR" >&2 && exit 2 ;;
	esac
}

list=$(listed "$1")
printf '%s\n' "$list" | while read -r name folder; do
	mkdir -p "$2/$name"
	find "$folder" -maxdepth 1 -type f \( -iname 'license*' -o -iname 'licence*' -o -iname 'copying*' -o -iname 'notice*' \) -exec cp {} "$2/$name/" \;
	# A package without the file says at least which license it is under.
	[ -n "$(ls -A "$2/$name")" ] || cp "$folder/package.json" "$2/$name/"
done
