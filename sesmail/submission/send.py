"""One message for SES: its envelope, its header section, and the hand-over to the delivery half."""

from __future__ import annotations

import os
import time

from sesmail.envelope import Envelope
from sesmail.message import header
from sesmail.submission import caller, compose, foreground, log
from sesmail.submission.input import drain
from sesmail.submission.kept import Kept
from sesmail.sysexits import EX_NOHOST, EX_NOUSER, EX_OK, DataError, NoUser, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sesmail.message.header import Field
    from sesmail.settings import Settings
    from sesmail.submission.commandline import CommandLine
    from sesmail.submission.recipients import Recipients

MOST_FORWARD_PATHS = 1000  # in the foreground, while the caller waits


class Submission:
    """A message whose author's domain is an identity, before its body was read.

    ``reverse_path`` is "" for the null reverse-path, None where none was given.
    """

    def __init__(
        self,
        command: CommandLine,
        settings: Settings,
        environ: Mapping[str, str],
        author: str,
        reverse_path: str | None,
    ) -> None:
        for path in (author, reverse_path or ""):
            if not path.isascii():
                raise DataError(f"SES cannot send from {path!a}: not ASCII; use an ASCII address")
        self.command = command
        self.settings = settings
        self.environ = environ
        self.author = author
        self.reverse_path = reverse_path
        self.queue_id = f"{int(time.time() * 1000):012X}{os.urandom(8).hex().upper()}"

    def send(
        self,
        library: str,
        identity: str,
        recipients: Recipients,
        real_sendmail: str | None,
        message: Iterable[bytes],
    ) -> int:
        """Hand the message to the delivery half, and to the real sendmail for local recipients."""
        sender = self._local_reverse_path()
        outgoing = Kept(self.environ)
        outgoing.write(self._envelope(identity, recipients.forward_paths).encode())
        local_copy = Kept(self.environ)
        for piece in message:
            outgoing.write(piece)
            if real_sendmail:
                local_copy.write(piece)
        drain()
        log.submitted(self.queue_id, self.reverse_path or self.author)
        environ = foreground.environment(self.environ, self.settings, identity)
        if not real_sendmail:
            foreground.execute(library, outgoing, environ)
        code = foreground.run(library, outgoing, environ)
        if code not in (EX_OK, EX_NOUSER, EX_NOHOST):
            return code  # the caller will try again, and local recipients with it
        local_code = foreground.deliver_locally(
            real_sendmail, sender, recipients.local, local_copy, self.environ
        )
        return code or local_code

    def pieces(self, fields: list[Field], body: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the message as it goes on. Raises Unavailable when it is over the limit."""
        limit = self.settings.message_size_limit
        section = header.join(self._finished(fields)) + b"\n"
        size = len(section)
        yield section
        for piece in body:
            size += len(piece)
            if size > limit:
                raise Unavailable(f"over message_size_limit = {limit} bytes; not sent")
            yield piece

    def _envelope(self, identity: str, forward_paths: list[str]) -> Envelope:
        if len(forward_paths) > MOST_FORWARD_PATHS:
            raise Unavailable(
                f"{len(forward_paths)} recipients; without a queue at most {MOST_FORWARD_PATHS} "
                "can be sent to at once; nothing sent; send in parts"
            )
        return Envelope(
            self.queue_id,
            identity,
            self.author,
            self.reverse_path,
            forward_paths,
            self.command.verbose,
        )

    def _finished(self, fields: list[Field]) -> list[Field]:
        origin = caller.origin(self.settings)
        finished = compose.finish(fields, origin)
        if self.command.add_fields:
            is_null = self.reverse_path == ""
            compose.add_missing(finished, self._from_value, self.queue_id, origin, is_null)
        return finished

    def _from_value(self) -> bytes:
        """Return the value of a From that is missing: the caller's, under the name it gives."""
        name = self.command.full_name or self.environ.get("NAME", "")
        if not name and self.reverse_path is None:
            name = caller.gecos_name()
        return compose.from_value(name, self.reverse_path or self._own_address())

    def _local_reverse_path(self) -> str:
        """Return the reverse-path for local recipients; a uid that nobody knows sends as author."""
        if self.reverse_path is not None:
            return self.reverse_path
        try:
            return self._own_address()
        except NoUser:
            return self.author

    def _own_address(self) -> str:
        return caller.address(self.settings)
