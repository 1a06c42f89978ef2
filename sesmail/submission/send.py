"""One message for SES: its envelope, its header section, and the hand-over to the delivery half."""

from __future__ import annotations

import posix

from sesmail.drop import layout
from sesmail.drop.put import NOBODY, Drop, Wake
from sesmail.envelope import Envelope
from sesmail.message import header
from sesmail.settings import MOST_IN_FOREGROUND
from sesmail.submission import caller, compose, log, mode
from sesmail.submission.kept import Kept
from sesmail.sysexits import (
    EX_NOHOST,
    EX_NOUSER,
    EX_OK,
    DataError,
    NotPermitted,
    NoUser,
    Unavailable,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sesmail.message.header import Field
    from sesmail.settings import Settings
    from sesmail.submission.commandline import CommandLine
    from sesmail.submission.recipients import Recipients


class Submission:
    """A message whose author's domain is an identity, before its body was read.

    ``reverse_path`` is "" for the null reverse-path, None where none was given. ``output`` is the
    descriptor for what children say; with None we may become the last of them.
    """

    def __init__(
        self,
        command: CommandLine,
        settings: Settings,
        environ: Mapping[str, str],
        author: str,
        reverse_path: str | None,
        output: int | None = None,
    ) -> None:
        for path in (author, reverse_path or ""):
            if not path.isascii():
                raise DataError(f"SES cannot send from {path!a}: not ASCII; use an ASCII address")
        self.command = command
        self.settings = settings
        self.environ = environ
        self.author = author
        self.reverse_path = reverse_path
        self.output = output
        self.queue_id = layout.new_queue_id()

    def send(
        self,
        library: str,
        identity: str,
        recipients: Recipients,
        real_sendmail: str | None,
        message: Iterable[bytes],
    ) -> int:
        """Drop the message or deliver it, then give local recipients to the real sendmail.

        ``message`` is read to its end before it is safe.
        """
        wake = Wake(self.settings.spool_directory)
        local_copy = Kept(self.environ) if real_sendmail else None
        try:
            sender = self._local_reverse_path() if real_sendmail else ""
            way = self._way(wake, identity)
            pieces = message if local_copy is None else _copied(message, local_copy)
            envelope = self._envelope(identity, recipients.forward_paths)
            if way == mode.FOREGROUND:
                is_last = local_copy is None and self.output is None
                code = self._deliver(library, envelope, pieces, is_last=is_last)
            else:
                code = self._drop(wake, envelope, pieces, is_quiet=way == mode.DROP_QUIETLY)
            is_taken = code in (EX_OK, EX_NOUSER, EX_NOHOST)
            if local_copy is None or real_sendmail is None or not is_taken:
                return code  # the caller will try again, and local recipients with it

            from sesmail.submission import foreground  # a drop for SES alone does not pay for it

            local_code = foreground.deliver_locally(
                real_sendmail, sender, recipients.local, local_copy, self.environ, self.output
            )
            return code or local_code
        finally:
            wake.close()
            if local_copy is not None:
                local_copy.close()

    def _way(self, wake: Wake, identity: str) -> str:
        """Return a way of ``mode``. Raises NotPermitted where there is none."""
        credentials = f"{self.settings.credentials_directory}/{identity}"
        is_readable = posix.access(credentials, posix.R_OK)
        setting = self.settings.delivery_mode
        way = mode.choose(self.command.delivery, setting, wake.state, is_readable=is_readable)
        if way == mode.NOWHERE:
            raise NotPermitted(
                f"{credentials} cannot be read by this user, and there is no spool; not sent, not "
                "queued; run sesmailctl init and start sesmaild"
            )
        return way

    def _deliver(
        self, library: str, envelope: Envelope, pieces: Iterable[bytes], *, is_last: bool
    ) -> int:
        """Deliver while the caller waits; with ``is_last`` become the delivery half."""
        from sesmail.submission import foreground  # a drop does not pay for it

        if len(envelope.forward_paths) > MOST_IN_FOREGROUND:
            raise Unavailable(
                f"{len(envelope.forward_paths)} recipients; without a queue at most "
                f"{MOST_IN_FOREGROUND} can be sent to at once; nothing sent; send in parts"
            )
        outgoing = Kept(self.environ)
        try:
            outgoing.write(envelope.encode())
            for piece in pieces:
                outgoing.write(piece)
            log.submitted(self.queue_id, self.reverse_path or self.author)
            environ = foreground.environment(self.environ, self.settings, envelope.identity)
            if is_last:
                foreground.execute(library, outgoing, environ)
            return foreground.run(library, outgoing, environ, self.output)
        finally:
            outgoing.close()

    def _drop(
        self, wake: Wake, envelope: Envelope, pieces: Iterable[bytes], *, is_quiet: bool
    ) -> int:
        """Leave the message to the daemon."""
        with Drop(self.settings, self.queue_id) as drop:
            drop.write(envelope.encode())
            for piece in pieces:
                drop.write(piece)
            drop.commit()  # after this the message is ours, and the exit code 0
        log.submitted(self.queue_id, self.reverse_path or self.author)
        if not is_quiet:  # last: what wakes up may take the processor from us
            wake.ring(self.queue_id)
        if wake.state == NOBODY and not is_quiet:
            log.nobody_delivers(self.queue_id, is_asked=self.command.verbose)
        return EX_OK

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
        elif header.first(finished, b"from") is None:
            raise DataError("no From, and -G adds none; SES needs one")
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


def _copied(pieces: Iterable[bytes], copy: Kept) -> Iterator[bytes]:
    """Yield ``pieces`` and keep them in ``copy``."""
    for piece in pieces:
        copy.write(piece)
        yield piece
