"""From a command under ``python3 -IS`` to the part of sesmail that needs third-party packages.

``.venv/bin/python3`` in the library runs it: the Python of a virtual environment or, where a
distribution brings the packages, a link to the system's. The part is named by its file, for then
it finds the library beside itself, whichever Python that is.

Nothing of the caller's environment goes along but what is named: botocore, OpenSSL and the resolver
obey dozens of variables.
"""

from __future__ import annotations

import os

from sesmail.sysexits import EX_UNAVAILABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

FOREGROUND = "sesmail/delivery"
DAEMON = "sesmail/delivery/daemon"
CONTROL = "sesmail/control"
PATH = "/usr/local/bin:/usr/bin:/bin"
# What the agents of ECS and EKS set; all that boto3 gets of the caller's environment.
ROLE_VARIABLES = (
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
DAEMON_VARIABLES = ("SESMAIL_CONFIG", "NOTIFY_SOCKET", *ROLE_VARIABLES)
CONTROL_VARIABLES = ("SESMAIL_CONFIG", "TERM", "COLUMNS", "LINES", "NO_COLOR")


def environment(caller: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    """Return a clean environment with those of the caller's variables that are named."""
    kept = {"PATH": PATH, "LANG": "C.UTF-8"}
    kept.update({name: caller[name] for name in names if name in caller})
    return kept


def command(library: str, part: str, *words: str) -> list[str]:
    """Return the program that runs a part, and the words to run it with."""
    python = os.path.join(library, ".venv", "bin", "python3")
    return [python, "-I", os.path.join(library, part, "__main__.py"), *words]


def execute(library: str, part: str, words: list[str], environ: Mapping[str, str]) -> int:
    """Become a part. Returns, with an exit code, only where that fails."""
    line = command(library, part, *words)
    try:
        os.execve(line[0], line, environ)
    except OSError as error:
        text = f"sesmail: cannot run {line[0]}: {error.strerror}; install sesmail again\n"
        os.write(2, text.encode("ascii", "replace"))
    return EX_UNAVAILABLE
