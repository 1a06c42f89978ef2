"""Watching for secrets: in what programs are started with, in what they write, and in files.

    watch = Watch(tmp_path / "traces", [SECRET], credentials)
    watch.run([sesmailctl, "check"], environ)
    watch.verify(tmp_path)

strace(1) tells of every program with its arguments and environment, and of every write with its
file and content, however short it lives. A secret may be written to a file in the credentials
directory, while nobody but owner and group may read it, and to memory that is no file (memfd); a
session token besides into a request to AWS, of which it is a field.
"""

from __future__ import annotations

import base64
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from tests.spool import PATIENCE

_CALLS = (
    "execve,execveat,open,openat,creat,chmod,fchmod,fchmodat,write,pwrite64,writev,pwritev,"
    "pwritev2,sendto,sendmsg,sendmmsg,vmsplice,memfd_create"
)
_CALL = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<rest>.*)", re.DOTALL)
_DESCRIPTOR = re.compile(r"\d+<(?P<path>[^>]*)>")
_CREATED = re.compile(r"O_CREAT.*, (?P<mode>0[0-7]+)\) = \d+<(?P<path>[^>]*)>")
_CHANGED = re.compile(r"\d+<(?P<path>[^>]*)>, (?P<mode>0[0-7]+)\)")
_TOKEN = "X-Amz-Security-Token: "
_OTHERS = 0o007
_LONGEST = 1 << 16  # bytes of a string that strace shows


class Watch:
    """Traces of programs, what they said, and the secrets that none of it may hold."""

    def __init__(self, directory: Path, secrets: Sequence[str], credentials: Path) -> None:
        directory.mkdir()
        self.said = ""
        self._directory = directory
        self._credentials = credentials
        self._secrets = secrets
        self._needles = [needle for secret in secrets for needle in _forms(secret)]
        self._count = 0
        self._inputs: set[Path] = set()

    def input(self, path: Path, text: str) -> Path:
        """Write a file with a secret, for a program to read: one for its owner alone."""
        path.touch(0o600)
        path.write_text(text)
        self._inputs.add(path)
        return path

    def command(self, command: Sequence[str | Path], *, is_parent: bool = True) -> list[str]:
        """Return a command line that is traced; not ``is_parent``: its pid is the program's."""
        self._count += 1
        trace = self._directory / str(self._count)
        aside = [] if is_parent else ["-D"]
        options = ["-f", "-q", "-y", "-v", "-s", str(_LONGEST), "--seccomp-bpf", "-e", _CALLS]
        return ["strace", *aside, *options, "-o", str(trace), "--", *map(str, command)]

    def run(self, command: Sequence[str | Path], environ: Mapping[str, str]) -> int:
        """Run a program to its end; return its exit code."""
        done = subprocess.run(
            self.command(command),
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
        )
        self.said += done.stdout + done.stderr
        return done.returncode

    def verify(self, *directories: Path) -> None:
        """Fail where a secret was shown, passed on, or written where others could read it."""
        lines = [line for line in self.said.splitlines() if self._is_hot(line)]
        found = [f"said: {self._masked(line)}" for line in lines]
        for trace in sorted(self._directory.iterdir()):  # of each program that was started
            found += self._in_trace(trace)
        for directory in directories:
            found += self._in_files(directory)
        assert not found, "\n".join(found)

    def _in_trace(self, path: Path) -> Iterator[str]:
        """Yield what a trace shows of secrets."""
        modes: dict[str, int] = {}
        for line in _complete(path):
            for secret in self._secrets:
                line = line.replace(_TOKEN + secret, "")
            call = _CALL.match(line)
            if call is None:
                continue
            created, changed = _CREATED.search(line), _CHANGED.match(call["rest"])
            if created:
                modes[created["path"]] = int(created["mode"], 8)
            elif changed and call["name"] == "fchmod":
                modes[changed["path"]] = int(changed["mode"], 8)
            if self._is_hot(line) and not self._may(call["name"], call["rest"], modes):
                yield f"{path.name}: {self._masked(line)}"

    def _may(self, name: str, rest: str, modes: Mapping[str, int]) -> bool:
        """Tell whether a call may hold a secret."""
        descriptor = _DESCRIPTOR.match(rest)
        if name.startswith("exec") or descriptor is None:
            return False
        path = descriptor["path"]
        if path.startswith("/memfd:"):
            return True
        is_ours = Path(path).parent == self._credentials
        return is_ours and not modes.get(path, _OTHERS) & _OTHERS

    def _in_files(self, directory: Path) -> Iterator[str]:
        """Yield the files that hold a secret and should not."""
        for path in directory.rglob("*"):
            is_file = path.is_file() and not path.is_symlink()
            if not is_file or path in self._inputs or self._directory in path.parents:
                continue
            if self._is_hot(path.read_bytes().decode("latin-1")):
                mode = path.stat().st_mode
                if path.parent != self._credentials or mode & _OTHERS:
                    yield f"{path}, mode {mode & 0o7777:04o}, holds a secret"

    def _is_hot(self, text: str) -> bool:
        return any(needle in text for needle in self._needles)

    def _masked(self, text: str) -> str:
        for needle in self._needles:
            text = text.replace(needle, "SECRET")
        return text[:500]


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as it is, in URLs, in hexadecimal, and in base64 at each place."""
    yield secret
    yield quote(secret, safe="")
    yield secret.encode().hex()
    for before, skipped in ((0, 0), (1, 2), (2, 3)):
        text = base64.b64encode(b"x" * before + secret.encode()).decode()
        yield text[skipped:-4]  # its ends depend on what stands beside it


def _complete(path: Path) -> Iterator[str]:
    """Yield the lines of a trace once all its processes have ended."""
    end = time.monotonic() + PATIENCE
    while True:
        lines = path.read_text("latin-1").splitlines()
        first = lines[0].split(None, 1)[0] if lines else ""
        if any(line.split(None, 1)[0] == first and "+++ " in line for line in lines):
            return iter(lines)
        assert time.monotonic() < end, f"{path}: its program still runs"
        time.sleep(0.05)
