"""The commands sendmail, mailq and newaliases: where submission starts and every failure ends."""

from __future__ import annotations

import posix
import sys

from sesmail import VERSION, settings
from sesmail.submission import commandline, signals
from sesmail.submission.input import drain
from sesmail.sysexits import EX_OK, EX_SOFTWARE, Failure, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# As Python decoded the command line, and ``os`` would the environment.
_CODEC = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()

USAGE = """\
Usage: sendmail [flags] [recipient ...] < message
       mailq
       newaliases
Sends through Amazon SES where the author's domain has credentials, else through the real sendmail.
  -t            take recipients from To, Cc and Bcc
  -i            a line with a lone dot does not end the message
  -f ADDRESS    reverse-path, and From where there is none
  -F NAME       full name for a From that is added
  -v            tell on stderr what became of the message
  -bs           speak SMTP on standard input and output
See sesmail(8) for all flags.
"""


def main(argv: list[str], library: str) -> int:
    """Run the command that ``argv`` names; ``library`` holds the package and its environment."""
    _open_missing_descriptors()
    signals.end_at_interrupt()
    try:
        return _run(argv, library, _environment())
    except Failure as failure:
        return _end(str(failure), failure.exit_code)
    except Exception as error:  # noqa: BLE001
        from sesmail.submission import log  # on the way out only

        return _end(log.internal_error(error), EX_SOFTWARE)


def _run(argv: list[str], library: str, environ: Mapping[str, str]) -> int:
    name = argv[0].rpartition("/")[2]
    # Whatever the locale says: words are bytes, read as UTF-8.
    words = [word.encode(*_CODEC).decode("utf-8", "surrogateescape") for word in argv[1:]]
    command = commandline.parse(name, words)
    if command.mode in (commandline.HELP, commandline.VERSION):
        return _print(USAGE if command.mode == commandline.HELP else f"sesmail {VERSION}\n")
    configuration = settings.load(environ)
    if configuration.syslog_facility != "mail" or configuration.warnings:
        _set_up_log(configuration)
    if command.mode == commandline.SMTP:
        from sesmail.submission.smtp import session  # other mail does not pay for it

        return session.run(argv, command, configuration, environ, library)
    if command.mode != commandline.DELIVER:
        return _hand_over(argv, command, configuration, environ, library)

    from sesmail.submission import route  # not needed by what is handed over

    return route.submit(argv, command, configuration, environ, library)


def _environment() -> dict[str, str]:
    """Return the environment, like ``os.environ``."""
    return {name.decode(*_CODEC): value.decode(*_CODEC) for name, value in posix.environ.items()}


def _hand_over(
    argv: list[str],
    command: commandline.CommandLine,
    configuration: settings.Settings,
    environ: Mapping[str, str],
    library: str,
) -> int:
    """Give a mode or flag that is not ours to the real sendmail, before anything is read.

    The queue is ours too, where there is a spool.
    """
    called = argv[0].rpartition("/")[2]
    name = called if called in ("mailq", "newaliases") else "sendmail"
    if command.mode in (commandline.LIST_QUEUE, commandline.RUN_QUEUE):
        from sesmail.submission import spool  # no message needs it

        code = spool.serve(argv, name, command.mode, configuration, environ, library)
        if code is not None:
            return code
    from sesmail.submission import relay  # mail for SES does not pay for it

    path = relay.find(configuration, environ, argv[0], name)
    if path is not None:
        relay.execute(path, name, argv[1:], environ, None)
    if command.mode == commandline.LIST_QUEUE:
        return _print("Mail queue is empty\n")
    if command.mode in (commandline.REBUILD_ALIASES, commandline.RUN_QUEUE):
        return EX_OK
    raise UsageError(
        f"{command.unknown[:100]!a} is left to the real sendmail, and there is none; "
        "see sendmail --help"
    )


def _open_missing_descriptors() -> None:
    """Put /dev/null where 0, 1 or 2 is closed, or the next file opened would take its place."""
    for descriptor in (0, 1, 2):
        try:
            posix.fstat(descriptor)
        except OSError:
            try:
                posix.set_inheritable(posix.open("/dev/null", posix.O_RDWR), True)
            except OSError:
                return  # a chroot without devices


def _print(text: str) -> int:
    sys.stdout.write(text)
    sys.stdout.flush()
    return EX_OK


def _end(text: str, exit_code: int) -> int:
    """Tell of a failure once in the log and once on stderr, in one line, and read the input out."""
    from sesmail.submission import log  # on the way out only

    text = log.printable(text)
    log.failure(text)
    try:
        posix.write(2, f"sendmail: {text}\n".encode("ascii"))
    except OSError:
        pass
    drain()
    return exit_code


def _set_up_log(configuration: settings.Settings) -> None:
    from sesmail.submission import log  # where sesmail.conf asks for something

    log.set_facility(configuration.syslog_facility)
    for warning in configuration.warnings:
        log.warning(log.printable(warning))
