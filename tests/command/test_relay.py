"""Relay to the real sendmail: the same program call, byte for byte, or a refusal that says why."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.host import Host, Result
from tests.installation import compile_program

MESSAGE = b"From: Bob <bob@elsewhere.example>\r\nTo: carol@example.org\n\nhello\n.\n\xff\0 last"

# Reports the largest resident set of the process that it becomes, in KiB, from its own rusage.
MEASURE = r"""
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
int main(void) {
    static char buffer[1 << 16];
    unsigned long long size = 0;
    for (ssize_t n; (n = read(0, buffer, sizeof buffer)) > 0;) size += n;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%llu %ld\n", size, usage.ru_maxrss);
    return 0;
}
"""


def one_line(result: Result) -> str:
    """Return the one line that a refusal prints, nothing else being printed."""
    assert result.stdout == b""
    lines = result.stderr.decode("ascii").splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("sendmail: ")
    return lines[0]


def test_arguments_and_bytes_arrive_unchanged(host: Host) -> None:
    """The real sendmail gets argv[0] sendmail, each argument and each byte."""
    words = [b"-t", b"-f", b"\xe4\xff@x", b"-O", b"A=b c", b"-X/tmp/log", b"", b"d@example.org\n"]
    result = host.run(*words, stdin=MESSAGE)
    assert (result.exit_code, result.stdout, result.stderr) == (0, b"", b"")
    [call] = host.relayed
    assert call.argv == [b"sendmail", *words]
    assert call.stdin == MESSAGE


def test_the_environment_arrives_with_the_guard_alone_added(host: Host) -> None:
    """Nothing is taken out of the environment, and one variable is added."""
    given = {"LD_X": "1", "AWS_PROFILE": "p", "PYTHONPATH": "/nowhere", "NAME": "n", "X": "\udcff"}
    host.run("-t", stdin=MESSAGE, env=given)
    expected = {os.fsencode(k): os.fsencode(v) for k, v in host.environment(given).items()}
    assert host.relayed[0].environ == expected | {b"SESMAIL_RELAYED": b"1"}


def test_an_empty_environment_stays_empty(host: Host) -> None:
    """Python's own LC_CTYPE is not passed on."""
    host.run("-t", stdin=MESSAGE, env={"PATH": None})
    assert set(host.relayed[0].environ) == {b"SESMAIL_CONFIG", b"SESMAIL_RELAYED"}


def test_the_exit_code_is_the_real_one(host: Host) -> None:
    """Whatever the real sendmail ends with, the caller gets: it is the same process."""
    host.real_exit_code(75)
    assert host.run("-t", stdin=MESSAGE).exit_code == 75


def test_signals_are_at_their_defaults(host: Host) -> None:
    """What Python ignores from its start is not ignored in the real sendmail."""
    host.run("-t", stdin=MESSAGE)
    [call] = host.relayed
    assert not call.ignores(signal.SIGPIPE)
    assert not call.ignores(signal.SIGXFSZ)
    assert not call.ignores(signal.SIGINT)


def test_a_file_is_rewound_to_where_it_stood(host: Host) -> None:
    """A regular file goes on from the position at which we got it, and is not copied."""
    with tempfile.TemporaryFile() as file:
        file.write(b"read by the shell\n" + MESSAGE)
        file.flush()
        os.lseek(file.fileno(), 18, os.SEEK_SET)
        host.run("-t", stdin=file)
    assert host.relayed[0].stdin == MESSAGE


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 65_537, 1 << 20, (1 << 20) + 1, 5_000_000])
def test_a_pipe_of_any_size_is_replayed(host: Host, size: int) -> None:
    """Around the sizes at which a pipe, a larger pipe and a file hold the bytes."""
    message = (MESSAGE + os.urandom(size))[:size]
    host.run("-t", "-f", "bob@elsewhere.example", stdin=message)
    assert host.relayed[0].stdin == message


def test_500_mb_need_little_memory(host: Host, tmp_path: Path) -> None:
    """Relaying 500 MB through a pipe takes under 32 MiB."""
    program = tmp_path / "measure"
    compile_program(MEASURE, program)
    host.settings(real_sendmail=program)
    size = 500_000_000
    line = b"x" * 99 + b"\n"
    # A shell between us: ru_maxrss also counts what a process was before its exec.
    command = ["sh", "-c", f"{host.installed.sendmail} -t; exit $?"]
    with subprocess.Popen(
        command, env=host.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"From: bob@elsewhere.example\n\n")
        for _ in range(size // 100_000):
            process.stdin.write(line * 1000)
        process.stdin.close()
        received, kibibytes = (int(word) for word in process.stdout.read().split())
    assert process.returncode == 0
    assert received == size + len(b"From: bob@elsewhere.example\n\n")
    assert kibibytes < 32 * 1024


def test_a_full_disk_under_the_temporary_file_is_73(host: Host) -> None:
    """A message that cannot be kept is refused, and its input is read to the end."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 21, 1 << 21))

    message = MESSAGE + b"x" * 4_000_000
    done = subprocess.run(
        [host.installed.sendmail, "-t"],
        input=message,
        capture_output=True,
        env=host.environment(),
        preexec_fn=limit,
    )
    assert done.returncode == 73
    assert "temporary file" in one_line(Result(73, done.stdout, done.stderr))
    assert host.relayed == []


@pytest.mark.parametrize("kind", ["symlink", "hard link", "copy"])
def test_ourselves_under_another_name_is_no_real_sendmail(host: Host, kind: str) -> None:
    """A link to us, or another sesmail, named by real_sendmail is refused, not executed."""
    own = host.installed.command("sesmail")
    other = host.installed.prefix / f"other-{host.directory.name}"
    if kind == "symlink":
        other.symlink_to(own)
    elif kind == "hard link":
        other.hardlink_to(own)
    else:
        other.write_bytes(own.read_bytes())
        other.chmod(0o755)
    try:
        host.settings(real_sendmail=other)
        result = host.run("-t", stdin=MESSAGE)
    finally:
        other.unlink()
    assert result.exit_code == 78
    assert "real_sendmail" in one_line(result)


def test_a_wrapper_that_leads_back_is_found_out(host: Host) -> None:
    """A script that calls us again ends with 69 and the remedy, after one round."""
    wrapper = host.directory / "wrapper"
    wrapper.write_text(f"#!/bin/sh\necho x >> {host.directory}/rounds\n")
    with wrapper.open("a") as file:
        file.write(f'exec {host.installed.sendmail} "$@"\n')
    wrapper.chmod(0o755)
    host.settings(real_sendmail=wrapper)
    result = host.run("-t", stdin=MESSAGE)
    assert result.exit_code == 69
    assert "leads back to sesmail" in one_line(result)
    assert (host.directory / "rounds").read_text() == "x\n"


def test_none_there_says_where_credentials_would_go(host: Host) -> None:
    """Without a real sendmail: 69, the domain that lacks credentials, and the directory."""
    host.settings(real_sendmail="none")
    result = host.run("-t", stdin=MESSAGE)
    assert result.exit_code == 69
    line = one_line(result)
    assert "elsewhere.example" in line
    assert str(host.credentials) in line


def test_none_there_for_an_unknown_flag_is_64(host: Host) -> None:
    """A flag that nobody knows is a usage error where there is no real sendmail."""
    host.settings(real_sendmail="none")
    result = host.run("-Z", "-t", stdin=MESSAGE)
    assert result.exit_code == 64
    assert "-Z" in one_line(result)


def test_an_unknown_flag_goes_over_before_anything_is_read(host: Host) -> None:
    """With a real sendmail it gets the unknown flag and all of the input."""
    host.run("-Z", "x", "-t", stdin=MESSAGE)
    [call] = host.relayed
    assert call.argv == [b"sendmail", b"-Z", b"x", b"-t"]
    assert call.stdin == MESSAGE


@pytest.mark.parametrize(
    ("name", "words"), [("mailq", []), ("newaliases", []), ("sendmail", ["-bp"])]
)
def test_other_names_and_modes_keep_their_name(host: Host, name: str, words: list[str]) -> None:
    """The names mailq and newaliases run the real sendmail under that name."""
    host.run(*words, name=name)
    assert host.relayed[0].argv == [name.encode(), *(word.encode() for word in words)]


def test_without_a_real_one_mailq_is_empty_and_newaliases_silent(host: Host) -> None:
    """Monitoring reads mailq's line; newaliases has nothing to do."""
    host.settings(real_sendmail="none")
    assert host.run(name="mailq") == Result(0, b"Mail queue is empty\n", b"")
    assert host.run("-bp") == Result(0, b"Mail queue is empty\n", b"")
    assert host.run(name="newaliases") == Result(0, b"", b"")
    assert host.run("-bi") == Result(0, b"", b"")
    assert host.run("-q") == Result(0, b"", b"")


@pytest.mark.root
@pytest.mark.parametrize("bit", [stat.S_ISUID, stat.S_ISGID])
def test_set_id_under_no_new_privs_is_refused(host: Host, bit: int) -> None:
    """A set-id real sendmail would hang or fail there: 69 with the remedy, and it is not run."""
    host.real_sendmail.chmod(0o755 | bit)
    command = ["setpriv", "--no-new-privs", str(host.installed.sendmail), "-t"]
    done = subprocess.run(command, input=MESSAGE, capture_output=True, env=host.environment())
    assert done.returncode == 69
    assert "NoNewPrivileges" in one_line(Result(69, done.stdout, done.stderr))
    assert host.relayed == []
    assert host.run("-t", stdin=MESSAGE).exit_code == 0


def test_closed_descriptors_become_dev_null(host: Host) -> None:
    """With 0, 1 and 2 closed the real sendmail finds all three open, and an empty input."""
    script = f'exec "{host.installed.sendmail}" -f bob@elsewhere.example carol@example.org'
    command = ["sh", "-c", f"{script} <&- >&- 2>&-"]
    done = subprocess.run(command, env=host.environment(), capture_output=True)
    assert done.returncode == 0
    [call] = host.relayed
    assert call.stdin == b""


def test_a_hostile_domain_never_becomes_a_path(host: Host) -> None:
    """Whatever the author's domain, no file outside of the directory is looked up."""
    outside = host.directory / "secret"
    outside.write_text("x")
    domains = ["../secret", "../../etc/passwd", "x/../../secret", "." * 300, "a" * 300 + ".example"]
    for domain in domains:
        result = host.run("-t", stdin=b"From: a@" + domain.encode() + b"\nTo: b@example.org\n\n")
        assert result.exit_code in (0, 65), (domain, result)
    assert all(call.argv == [b"sendmail", b"-t"] for call in host.relayed)


def test_an_unsearchable_directory_is_no_silent_relay(host: Host) -> None:
    """Where identities cannot be looked up: 77, and the mode that is needed."""
    host.credentials.chmod(0o700)
    user = "www-data" if os.geteuid() == 0 else None
    if user is None:
        host.credentials.chmod(0)
    result = host.run("-t", stdin=MESSAGE, user=user)
    host.credentials.chmod(0o755)
    assert result.exit_code == 77
    assert "o+x" in one_line(result)
    assert host.relayed == []
