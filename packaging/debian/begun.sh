# Read by the maintainer scripts.

# begun FILE...: those of /proc/*/cmdline that are a sendmail's. Commands have -IS among their words;
# the other is the foreground.
begun() {
    grep -lsxz -e -IS -e '/usr/share/sesmail.*/delivery/__main__.py' "$@"
}

# Let each sendmail that runs by now end, for 10 seconds at most: it goes on importing from where it
# began.
let_begun_end() {
    patience=100
    for process in $(begun /proc/[0-9]*/cmdline); do
        while [ $patience -gt 0 ] && begun "$process" >/dev/null; do
            sleep 0.1
            patience=$((patience - 1))
        done
    done
}
