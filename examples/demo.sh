#!/bin/sh
# demo: one mail from a caller to a stand-in for Amazon SES, all on this machine's loopback.
set -eu
cd "$(dirname "$0")/.."

world=$(mktemp -d)
stop() {
    kill "$stand_in" 2>/dev/null || :
    rm -rf "$world"
}
stand_in=
trap stop EXIT

.venv/bin/python3 -m tests.fakes.ses --identity example.com --show \
    --once-ready-file "$world/ready" >"$world/shown" 2>&1 &
stand_in=$!

# Wait until what the stand-in wrote matches, or it is clear that it never will.
wait_for() {
    for _ in $(seq 200); do
        if grep -qs "$1" "$2"; then return; fi
        kill -0 "$stand_in" 2>/dev/null || break
        sleep 0.05
    done
    cat "$world/shown" >&2
    exit 1
}

wait_for ca_file "$world/ready"
. "$world/ready"

mkdir "$world/credentials"
cat >"$world/credentials/example.com" <<END
# The pair that AWS prints in its documentation; the stand-in knows it.
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
region = us-east-1
endpoint_url = $api_url
END
cat >"$world/sesmail.conf" <<END
credentials_directory = $world/credentials
spool_directory = $world/no-spool
real_sendmail = none
END

echo "== A stand-in for Amazon SES listens at $api_url; example.com has credentials."
echo '$ sesmail -t < examples/welcome.eml'
code=0
SESMAIL_CONFIG=$world/sesmail.conf bin/sesmail -t <examples/welcome.eml \
    >"$world/stdout" 2>"$world/stderr" || code=$?

echo "== What the caller saw: exit code $code"
sed 's/^/stdout: /' "$world/stdout"
sed 's/^/stderr: /' "$world/stderr"
[ "$code" -eq 0 ] || exit 1

echo "== What SES got:"
wait_for '^---$' "$world/shown"
sed 1d "$world/shown"
