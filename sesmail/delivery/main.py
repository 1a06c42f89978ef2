"""The foreground command: delivers what descriptor 0 holds.

Submission gives it a clean environment. It is cleaned again here, for botocore, urllib3, OpenSSL
and the resolver obey dozens of variables, and not every caller comes through submission.
"""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import MutableMapping

from sesmail import settings
from sesmail.delivery import interrupt, report, undumpable
from sesmail.launch import ROLE_VARIABLES
from sesmail.sysexits import EX_IOERR, EX_SOFTWARE, EX_UNAVAILABLE, Failure

_KEPT = frozenset(("PATH", "LANG", "SESMAIL_CONFIG", *ROLE_VARIABLES))


def main() -> int:
    """Deliver the message on descriptor 0; return the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until run takes over: an end without traceback
    warnings.simplefilter("ignore")  # a library's advice to programmers is not for our caller
    clean(os.environ)
    code = _run()
    interrupt.ignore()  # the message may be gone: nothing must change the exit code now
    return code


def _run() -> int:
    try:
        # Needs third-party packages: an import that fails must be told like any other failure.
        from sesmail.delivery import foreground

        undumpable.become_undumpable()
        with open(0, "rb") as stream:
            return foreground.run(stream, settings.load(os.environ))
    except ImportError as error:
        return report.end(report.broken_installation(error), EX_UNAVAILABLE)
    except OSError as error:
        return report.end(f"cannot read descriptor 0: {error.strerror}", EX_IOERR)
    except Failure as failure:
        return report.end(str(failure), failure.exit_code)
    except Exception as error:  # noqa: BLE001  the caller gets a line, never a traceback
        return report.end(report.internal_error(error), EX_SOFTWARE)


def clean(environ: MutableMapping[str, str]) -> None:
    """Leave only what delivery needs, and bound the time that the resolver may take."""
    for name in [name for name in environ if name not in _KEPT]:
        del environ[name]
    environ["RES_OPTIONS"] = "timeout:2 attempts:2"
