"""A mail host of one test's own: settings, credentials, aliases, and a recording real sendmail."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.installation import Installation

Environment = Mapping[str, str | None]


@dataclass(frozen=True)
class Result:
    """What a caller sees of one run; a negative exit code is the signal that ended it."""

    exit_code: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True)
class Relayed:
    """One call of the real sendmail, as it arrived there; ``status`` is /proc/self/status."""

    argv: list[bytes]
    environ: dict[bytes, bytes]
    stdin: bytes
    status: dict[str, str]

    def ignores(self, signal: int) -> bool:
        """Tell whether the real sendmail started with this signal ignored."""
        return bool(int(self.status["SigIgn"], 16) >> (signal - 1) & 1)


class Host:
    """One private world below ``directory``; everything in it can be read by every user."""

    def __init__(self, directory: Path, installed: Installation) -> None:
        self.directory = directory
        self.installed = installed
        self.configuration = directory / "sesmail.conf"
        self.credentials = directory / "credentials"
        self.aliases_file = directory / "aliases"
        self.real_sendmail = directory / "real" / "sendmail"
        self._calls = directory / "real" / "calls"
        self._keys: dict[str, object] = {}
        for path in (self.credentials, self.real_sendmail.parent, self._calls):
            path.mkdir()
        self._calls.chmod(0o1777)
        shutil.copy(installed.recorder, self.real_sendmail)
        self.aliases("")
        self.settings(
            credentials_directory=self.credentials,
            spool_directory=directory / "spool",  # not there, unless a test makes it
            real_sendmail=self.real_sendmail,
            aliases=self.aliases_file,
            origin="host.example.net",
        )

    def settings(self, **keys: object) -> None:
        """Set these keys of sesmail.conf and leave the others; None takes a key out."""
        self._keys.update(keys)
        lines = [f"{key} = {value}\n" for key, value in self._keys.items() if value is not None]
        self.configuration.write_text("".join(lines))
        self.configuration.chmod(0o644)

    def identity(self, name: str, text: str, mode: int = 0o644) -> Path:
        """Write the credentials file of an identity."""
        path = self.credentials / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def aliases(self, text: str) -> None:
        """Write the aliases file."""
        self.aliases_file.write_text(text)
        self.aliases_file.chmod(0o644)

    def real_exit_code(self, code: int) -> None:
        """Let the real sendmail end with ``code`` from now on."""
        path = self.real_sendmail.parent / "exit"
        path.write_text(str(code))
        path.chmod(0o644)

    @property
    def relayed(self) -> list[Relayed]:
        """The calls of the real sendmail so far, in their order."""
        return [_read_call(call) for call in sorted(self._calls.iterdir())]

    def environment(self, changes: Environment | None = None) -> dict[str, str]:
        """Return what a command's environment is: PATH, SESMAIL_CONFIG, and ``changes``.

        None as a value takes a variable out.
        """
        base: dict[str, str | None] = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "SESMAIL_CONFIG": str(self.configuration),
        }
        base.update(changes or {})
        return {key: value for key, value in base.items() if value is not None}

    def run(
        self,
        *argv: str | bytes,
        stdin: bytes | IO[bytes] | int = b"",
        env: Environment | None = None,
        name: str = "sendmail",
        user: str | None = None,
        timeout: float = 60,
    ) -> Result:
        """Run an installed command to its end; ``stdin`` is bytes through a pipe, or a file."""
        process = self.start(*argv, stdin=stdin, env=env, name=name, user=user)
        try:
            stdout, stderr = process.communicate(
                stdin if isinstance(stdin, bytes) else None, timeout
            )
        finally:
            process.kill()
            process.wait()
        return Result(process.returncode, stdout, stderr)

    def start(
        self,
        *argv: str | bytes,
        stdin: bytes | IO[bytes] | int = b"",
        env: Environment | None = None,
        name: str = "sendmail",
        user: str | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start an installed command; with bytes for ``stdin``, a pipe that the test writes."""
        return subprocess.Popen(
            [self.installed.command(name), *argv],
            stdin=subprocess.PIPE if isinstance(stdin, bytes) else stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(env),
            cwd="/",
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )


def _read_call(call: Path) -> Relayed:
    status = (call / "status").read_text().splitlines()
    return Relayed(
        argv=_words(call / "argv"),
        environ=dict(_split(word) for word in _words(call / "environ")),
        stdin=(call / "stdin").read_bytes(),
        status={key: value.strip() for key, _, value in (line.partition(":") for line in status)},
    )


def _words(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\0")[:-1]


def _split(word: bytes) -> tuple[bytes, bytes]:
    name, _, value = word.partition(b"=")
    return name, value


def is_root() -> bool:
    """Tell whether the tests may become other users."""
    return os.geteuid() == 0
