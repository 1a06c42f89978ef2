#!/bin/sh
# setup-libraries.sh: install below .cache/clients what libraries/ sends with and Debian does not have,
# as libraries/ pins it. Done before: does nothing. pip is that of .venv, npm that of
# setup-stand-ins.sh.
set -eu
pins=$(cd "$(dirname "$0")" && pwd)/libraries
cache=$pins/../../../.cache
pip=$pins/../../../.venv/bin/pip

same() { # FILE PLACE: was PLACE made from FILE as it is now?
    cmp -s "$pins/$1" "$cache/clients/$2/made-from"
}

packages() { # FILE PLACE: the Python packages of FILE, for PYTHONPATH
    same "$1" "$2" && return
    echo "installing $1" >&2
    rm -rf "$cache/clients/$2"
    "$pip" install --quiet --disable-pip-version-check --no-deps \
        --target "$cache/clients/$2" -r "$pins/$1"
    cp "$pins/$1" "$cache/clients/$2/made-from"
}

modules() { # the npm packages of package-lock.json
    same package-lock.json npm && return
    echo "installing nodemailer" >&2
    rm -rf "$cache/clients/npm"
    mkdir "$cache/clients/npm"
    cp "$pins/package.json" "$pins/package-lock.json" "$cache/clients/npm"
    (cd "$cache/clients/npm" && PATH=$cache/stand-ins/node/bin:$PATH \
        npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp "$pins/package-lock.json" "$cache/clients/npm/made-from"
}

mkdir -p "$cache/clients"
cache=$(cd "$cache" && pwd)
packages requirements.txt python
packages requirements-legacy.txt legacy
modules
