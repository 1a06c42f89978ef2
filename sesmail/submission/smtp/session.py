"""The session: which command may come when (RFC 5321, 4.1.4), and the transaction it builds up.

The way of a message is known only with its author, so recipients are taken by their syntax, and
whatever else is wrong is the reply to the final dot. No time-outs: the client is a program on
this host, which may well be idle for hours.
"""

from __future__ import annotations

from sesmail.settings import MOST_IN_FOREGROUND
from sesmail.submission import caller, signals
from sesmail.submission.kept import Kept
from sesmail.submission.smtp import commands, replies
from sesmail.submission.smtp.replies import Refusal
from sesmail.submission.smtp.stream import EndOfInput, Stream
from sesmail.sysexits import EX_OK, DataError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sesmail.settings import Settings
    from sesmail.submission.commandline import CommandLine

    Submit = Callable[[str, list[str], Kept], str]  # reverse-path, forward-paths, message

MOST_ERRORS = 20  # of a client that does not speak SMTP; sent mail clears them
_FOREIGN = frozenset(
    ("AUTH", "BDAT", "ETRN", "EXPN", "SAML", "SEND", "SOML", "STARTTLS", "TURN", "VERB")
)


def run(
    argv: list[str],
    command: CommandLine,
    settings: Settings,
    environ: Mapping[str, str],
    library: str,
) -> int:
    """Serve the client on standard input and output to its end; return the exit code."""

    def begin() -> Submit:
        from sesmail.submission.smtp import transaction  # a probe does not pay for it

        return transaction.Transactions(argv, command, settings, environ, library).submit

    return Session(Stream(), settings, environ, begin).serve()


class Session:
    """The dialogue. ``begin``, called once, returns what submits messages and replies."""

    def __init__(
        self,
        stream: Stream,
        settings: Settings,
        environ: Mapping[str, str],
        begin: Callable[[], Submit],
    ) -> None:
        self._stream = stream
        self._limit = settings.message_size_limit
        self._name = caller.origin(settings)
        self._environ = environ
        self._begin = begin
        self._submit: Submit | None = None
        self._errors = 0
        self._is_greeted = False
        self._is_over = False
        self._reset()

    def serve(self) -> int:
        """Obey commands until QUIT or the end of input; return the exit code.

        Raises UsageError after too many errors, DataError for an end within a message.
        """
        self._stream.reply(f"220 {self._name} ESMTP sesmail")
        while not self._is_over:
            try:
                self._obey(self._stream.line())
            except Refusal as refusal:
                self._stream.reply(refusal.reply)
                self._errors += refusal.is_error
            except EndOfInput:
                return EX_OK
            if self._errors >= MOST_ERRORS:
                self._stream.end(replies.TOO_MANY_ERRORS)
                raise UsageError("-bs: too many errors: the caller does not speak SMTP")
        self._stream.flush()
        return EX_OK

    def _obey(self, line: bytes) -> None:
        verb, argument = commands.split(line)
        obey = _COMMANDS.get(verb)
        if obey is None:
            is_known = verb in _FOREIGN
            raise replies.error(replies.NOT_IMPLEMENTED if is_known else replies.UNKNOWN)
        obey(self, argument)

    def _reset(self) -> None:
        self._reverse_path: str | None = None
        self._forward_paths: list[str] = []
        self._is_refused = False  # some RCPT was

    def _helo(self, argument: str) -> None:
        self._greet(argument, "HELO")
        self._stream.reply(f"250 {self._name}")

    def _ehlo(self, argument: str) -> None:
        self._greet(argument, "EHLO")
        offers = [self._name, "PIPELINING", f"SIZE {self._limit}", "8BITMIME"]
        for offer in [*offers, "ENHANCEDSTATUSCODES"]:
            self._stream.reply(f"250-{offer}")
        self._stream.reply("250 HELP")

    def _greet(self, argument: str, verb: str) -> None:
        if not argument:
            raise replies.usage(f"{verb} name")
        self._is_greeted = True
        self._reset()

    def _mail(self, argument: str) -> None:
        if not self._is_greeted:
            raise replies.error(replies.NO_GREETING)
        if self._reverse_path is not None:
            raise replies.error(replies.NESTED_MAIL)
        self._reverse_path = commands.mail(argument, self._limit)
        self._stream.reply(replies.SENDER_OK)

    def _rcpt(self, argument: str) -> None:
        if self._reverse_path is None:
            raise replies.error(replies.NO_SENDER)
        self._is_refused = True
        path = commands.rcpt(argument)
        if len(self._forward_paths) >= MOST_IN_FOREGROUND:
            raise Refusal(replies.TOO_MANY_RECIPIENTS)
        self._forward_paths.append(path)
        self._stream.reply(replies.RECIPIENT_OK)

    def _data(self, argument: str) -> None:
        _take_nothing(argument, "DATA")
        if self._reverse_path is None:
            raise replies.error(replies.NO_SENDER)
        if not self._forward_paths:
            is_refused = self._is_refused
            raise replies.error(replies.NO_VALID_RECIPIENT if is_refused else replies.NO_RECIPIENT)
        self._stream.reply(replies.GO_AHEAD)
        try:
            self._transfer(self._reverse_path)
        except EndOfInput:
            self._stream.end(replies.END_IN_DATA)
            raise DataError("-bs: input ended within the message; not sent") from None
        self._reset()

    def _transfer(self, reverse_path: str) -> None:
        """Read a message, submit it, and tell what became of it before a signal can end us."""
        from sesmail.submission.smtp import data  # a probe does not pay for it

        self._submit = self._submit or self._begin()
        message = Kept(self._environ)
        obeyed = signals.dispositions()
        try:
            data.receive(self._stream, message, self._limit)
            self._stream.reply(self._submit(reverse_path, self._forward_paths, message))
            self._errors = 0
        except Refusal as refusal:
            self._stream.reply(refusal.reply)
        finally:
            message.close()
        self._stream.flush()
        signals.put_back(obeyed)

    def _rset(self, argument: str) -> None:
        _take_nothing(argument, "RSET")
        self._reset()
        self._stream.reply(replies.OK)

    def _noop(self, _: str) -> None:
        self._stream.reply(replies.OK)

    def _vrfy(self, argument: str) -> None:
        if not argument:
            raise replies.usage("VRFY address")
        self._stream.reply(replies.VERIFY)

    def _help(self, _: str) -> None:
        self._stream.reply(replies.HELP)

    def _quit(self, argument: str) -> None:
        _take_nothing(argument, "QUIT")
        self._stream.reply(replies.BYE)
        self._is_over = True


def _take_nothing(argument: str, verb: str) -> None:
    if argument:
        raise replies.usage(verb)


_COMMANDS: dict[str, Callable[[Session, str], None]] = {
    "HELO": Session._helo,
    "EHLO": Session._ehlo,
    "MAIL": Session._mail,
    "RCPT": Session._rcpt,
    "DATA": Session._data,
    "RSET": Session._rset,
    "NOOP": Session._noop,
    "VRFY": Session._vrfy,
    "HELP": Session._help,
    "QUIT": Session._quit,
}
