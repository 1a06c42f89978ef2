"""A client of ``sendmail -bs``, step by step: what it writes, and each reply as it comes."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from tests.host import Environment, Host


class Client:
    """A session of the installed sendmail; a context manager that has it end."""

    def __init__(
        self,
        host: Host,
        *flags: str,
        env: Environment | None = None,
        user: str | None = None,
    ) -> None:
        self.process = host.start("-bs", *flags, env=env, user=user)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._stdin, self._stdout = self.process.stdin, self.process.stdout
        self.greeting = self.reply()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.communicate()

    def write(self, data: bytes) -> None:
        """Write bytes as they are."""
        self._stdin.write(data)
        self._stdin.flush()

    def reply(self) -> str:
        """Return the next reply: its lines, without the last line end; "" at the end."""
        lines = [self._stdout.readline().decode("ascii")]
        while lines[-1][3:4] == "-":
            lines.append(self._stdout.readline().decode("ascii"))
        return "".join(lines).removesuffix("\r\n")

    def say(self, line: str) -> str:
        """Write a command; return its reply."""
        self.write(line.encode("ascii") + b"\r\n")
        return self.reply()

    def send(self, reverse_path: str, forward_paths: list[str], message: bytes) -> str:
        """Send a message command by command; return the reply to its final dot."""
        assert self.say(f"MAIL FROM:<{reverse_path}>").startswith("250 ")
        for path in forward_paths:
            assert self.say(f"RCPT TO:<{path}>").startswith("250 ")
        assert self.say("DATA").startswith("354 ")
        stuffed = (b"\n" + message).replace(b"\n.", b"\n..")[1:]
        self.write(stuffed.replace(b"\n", b"\r\n") + b".\r\n")
        return self.reply()

    def end(self) -> tuple[int, bytes]:
        """Close our side; return the exit code and what stderr got."""
        stdout, stderr = self.process.communicate(timeout=60)
        assert stdout == b""
        return self.process.returncode, stderr
