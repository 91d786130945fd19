#!/bin/sh
# in.sh FOLDER COMMAND [ARG ...]: runs a command in a folder.
set -eu
cd "$1"
shift
exec "$@"
