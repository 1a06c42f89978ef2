"""The messages of a session: each as the command line ``-f REVERSE-PATH -- FORWARD-PATHS``."""

from __future__ import annotations

import posix
from io import SEEK_SET

from sesmail.message import header
from sesmail.submission import foreground, log, route, send
from sesmail.submission.commandline import CommandLine
from sesmail.submission.smtp import replies
from sesmail.sysexits import EX_OK, EX_SOFTWARE, Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from sesmail.settings import Settings
    from sesmail.submission.kept import Kept

_LONGEST_OUTPUT = 1 << 16  # bytes of what a child says


class Transactions:
    """Sends messages on by their authors' domains, and tells what became of them."""

    def __init__(
        self,
        argv: list[str],
        session: CommandLine,
        settings: Settings,
        environ: Mapping[str, str],
        library: str,
    ) -> None:
        self._own_path = argv[0]
        self._session = session
        self._settings = settings
        self._environ = environ
        self._library = library
        # In memory and no pipe: a child may leave somebody behind who keeps it open.
        self._output = posix.memfd_create("output")

    def submit(self, reverse_path: str, forward_paths: list[str], message: Kept) -> str:
        """Send ``message`` on; return the reply, 250 once it is safe. "" is the null path."""
        try:
            return self._submit(self._command(reverse_path, forward_paths), message)
        except Failure as failure:
            return self._refuse(failure.exit_code, str(failure))
        except Exception as error:  # noqa: BLE001  the session goes on
            return self._refuse(EX_SOFTWARE, log.internal_error(error))

    def _command(self, reverse_path: str, forward_paths: list[str]) -> CommandLine:
        command = CommandLine()
        command.reverse_path = reverse_path
        command.operands = forward_paths
        command.full_name = self._session.full_name
        command.delivery = self._session.delivery
        command.add_fields = self._session.add_fields
        command.verbose = self._session.verbose
        return command

    def _submit(self, command: CommandLine, message: Kept) -> str:
        text = message.pieces()
        section = route.read_section(text, self._settings.message_size_limit)
        fields = header.split(bytes(section.text[section.start : section.end]))
        way = route.choose(fields, command, self._settings, self._environ, self._own_path)
        if isinstance(way, str):
            return self._hand_over(way, command, message)
        submission = send.Submission(
            command,
            self._settings,
            self._environ,
            way.author,
            route.reverse_path_of(command, self._settings),
            self._output,
        )
        pieces = submission.pieces(fields, route.body_of(section, text))
        code = submission.send(
            self._library, way.identity, way.recipients, way.real_sendmail, pieces
        )
        return self._answer(code, replies.queued(submission.queue_id))

    def _hand_over(self, real_sendmail: str, command: CommandLine, message: Kept) -> str:
        code = foreground.hand_over(
            real_sendmail,
            command.reverse_path or "",
            command.operands,
            message,
            self._environ,
            self._output,
        )
        return self._answer(code, replies.OK)

    def _answer(self, code: int, success: str) -> str:
        """Return the reply for a child's exit code: ``success``, or its last line as the reason."""
        said = posix.pread(self._output, _LONGEST_OUTPUT, 0)
        if said:
            posix.ftruncate(self._output, 0)
            posix.lseek(self._output, 0, SEEK_SET)
        if code != EX_OK:
            lines = said.decode("utf-8", "replace").split("\n")
            last = next((line for line in reversed(lines) if line.strip()), "")
            reason = last.strip().removeprefix("sendmail: ")
            return replies.refused(code, reason or f"The mail program ended with {code}; not sent")
        if said:
            posix.write(2, said)  # on success, advice for people
        return success

    def _refuse(self, exit_code: int, text: str) -> str:
        log.failure(log.printable(text))
        return replies.refused(exit_code, text)
