"""The keys of a profile in the ~/.aws of whoever calls, got in his name and never in root's.

A profile may name a program (``credential_process``) and any file. Under sudo both are chosen by
somebody who is perhaps allowed to run sesmailctl and nothing else: so a process that has become the
caller reads the profile, runs what it names, and hands over the keys through a pipe. That also lets
``AWS_CONFIG_FILE`` and ``AWS_SHARED_CREDENTIALS_FILE`` count: he reads what he may read anyway.
"""

from __future__ import annotations

import json
import os
import pwd
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from sesmail import launch
from sesmail.submission.log import printable
from sesmail.sysexits import ConfigurationError

FILES = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")
_PART = "sesmail/control/profile"  # see launch


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key, and what the profile says of the region ("" if nothing)."""

    key_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    region: str


def get(profile: str, environ: Mapping[str, str] | None = None) -> Keys:
    """Return the keys of a profile. Raises ConfigurationError, with the reason.

    A profile that needs a code asks for it on the terminal.
    """
    environ = os.environ if environ is None else environ
    caller = _caller(environ)
    is_root = os.geteuid() == 0
    try:
        done = subprocess.run(
            launch.command(launch.own_library(), _PART, profile),
            check=False,
            stdin=subprocess.DEVNULL,  # which may hold a secret for us; a code is asked at /dev/tty
            stdout=subprocess.PIPE,
            env=_environment(environ, caller),
            cwd="/",
            user=caller.pw_uid if is_root else None,
            group=caller.pw_gid if is_root else None,
            extra_groups=os.getgrouplist(caller.pw_name, caller.pw_gid) if is_root else None,
        )
        answer = json.loads(done.stdout)
    except (OSError, ValueError) as error:
        reason = type(error).__name__
        raise ConfigurationError(f"cannot get keys as {caller.pw_name}: {reason}") from None
    if "error" in answer:
        whose = f"profile {printable(profile)!a} of {caller.pw_name}"
        raise ConfigurationError(f"{whose}: {printable(answer['error'])}")
    return Keys(answer["key_id"], answer["secret"], answer["token"], answer["region"])


def _caller(environ: Mapping[str, str]) -> pwd.struct_passwd:
    """Return who called sudo, else who we are.

    sudo sets SUDO_UID itself. For anybody but root it would change nothing, so it is not asked.
    """
    uid = environ.get("SUDO_UID", "") if os.geteuid() == 0 else ""
    try:
        return pwd.getpwuid(int(uid) if uid.isascii() and uid.isdigit() else os.getuid())
    except (KeyError, OverflowError):
        raise ConfigurationError(f"user {uid or os.getuid()} has no entry in passwd") from None


def _environment(environ: Mapping[str, str], caller: pwd.struct_passwd) -> dict[str, str]:
    """Return all that the child gets: HOME is where passwd says, whatever the caller's own."""
    return launch.environment(environ, FILES) | {"HOME": caller.pw_dir}
