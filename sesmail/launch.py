"""From a command under ``python3 -IS`` to the part of sesmail that needs third-party packages.

``.venv/bin/python3`` in the library runs it: the Python of a virtual environment or, where a
distribution brings the packages, a link to the system's. The part is named by its file, for then
it finds the library beside itself, whichever Python that is.

Nothing of the caller's environment goes along but what is named: botocore, OpenSSL and the resolver
obey dozens of variables.
"""

from __future__ import annotations

import posix

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
# The administrator's own AWS files are read as the user whom SUDO_UID names (control.profile).
CONTROL_VARIABLES = (
    "SESMAIL_CONFIG",
    "TERM",
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "SUDO_UID",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
)


def environment(caller: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    """Return a clean environment with those of the caller's variables that are named."""
    kept = {"PATH": PATH, "LANG": "C.UTF-8"}
    kept.update({name: caller[name] for name in names if name in caller})
    return kept


def control_environment(caller: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of sesmailctl.

    A role's variables name a file that is read, and a host that it is sent to. Root has them in a
    container; under sudo they are the choice of somebody who may be allowed nothing but sesmailctl.
    """
    roles = () if "SUDO_UID" in caller else ROLE_VARIABLES
    return environment(caller, CONTROL_VARIABLES + roles)


def own_library() -> str:
    """Return the library that we run from, for a process of our own kind."""
    import os.path  # submission is told where that is

    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def command(library: str, part: str, *words: str) -> list[str]:
    """Return the program that runs a part, and the words to run it with."""
    python = f"{library}/.venv/bin/python3"
    return [python, "-I", f"{library}/{part}/__main__.py", *words]


def execute(library: str, part: str, words: list[str], environ: Mapping[str, str]) -> int:
    """Become a part. Returns, with an exit code, only where that fails."""
    line = command(library, part, *words)
    try:
        posix.execve(line[0], line, environ)
    except OSError as error:
        text = f"sesmail: cannot run {line[0]}: {error.strerror}; install sesmail again\n"
        posix.write(2, text.encode("ascii", "replace"))
    return EX_UNAVAILABLE
