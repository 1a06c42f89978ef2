#!/bin/sh
# setup-stand-ins.sh: install the independent stand-ins for SES below .cache/stand-ins, each in a
# place of its own, with what stand-ins/ beside this file pins. Done before: does nothing.
# Node comes from a wheel: Debian 12's is too old for aws-ses-v2-local.
set -eu
pins=$(cd "$(dirname "$0")" && pwd)/stand-ins
cache=$pins/../../../.cache/stand-ins
: "${PYTHON:=/usr/bin/python3}"

same() { # FILE PLACE: was PLACE made from FILE as it is now?
    cmp -s "$pins/$1" "$cache/$2/made-from"
}

environment() { # NAME: a virtual environment of what NAME.txt pins
    same "$1.txt" "$1" && return
    echo "installing $1" >&2
    rm -rf "$cache/$1"
    "$PYTHON" -m venv "$cache/$1"
    "$cache/$1/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$pins/$1.txt"
    cp "$pins/$1.txt" "$cache/$1/made-from"
}

modules() { # the npm packages of package-lock.json
    same package-lock.json npm && return
    echo "installing aws-ses-v2-local" >&2
    rm -rf "$cache/npm"
    mkdir "$cache/npm"
    cp "$pins/package.json" "$pins/package-lock.json" "$cache/npm"
    (cd "$cache/npm" &&
        PATH=$cache/node/bin:$PATH npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp "$pins/package-lock.json" "$cache/npm/made-from"
}

mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
environment moto
environment ministack
environment node
modules
