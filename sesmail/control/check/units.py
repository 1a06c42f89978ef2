"""What programs that send are locked into: whether their systemd units let them drop a message."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator

from sesmail.control.check import sendmail, unit_file, unit_mounts
from sesmail.control.check.finding import Finding, Make, broken, ok, warning
from sesmail.control.check.unit_file import Unit
from sesmail.control.check.unit_mounts import DropIn, Mount
from sesmail.settings import Settings
from sesmail.sysexits import ConfigurationError, DataError

# Programs that are known to send, or to run what does.
_SENDERS = """
    php*-fpm apache2 httpd lighttpd nginx caddy uwsgi* gunicorn* puma* mastodon-* gitea forgejo
    gitlab* discourse* redmine* zammad-* mailman* nextcloud* cron crond atd anacron smartd
    smartmontools mdmonitor zed fail2ban unattended-upgrades grafana-server icinga2 nagios*
    zabbix-server monit jenkins vaultwarden authelia keycloak
""".split()
# These take rights at exec away, too, unless root keeps them (systemd.exec(5), NoNewPrivileges=).
_IMPLY_NO_NEW_PRIVILEGES = """
    LockPersonality MemoryDenyWriteExecute PrivateDevices ProtectClock ProtectHostname
    ProtectKernelLogs ProtectKernelModules ProtectKernelTunables RestrictAddressFamilies
    RestrictNamespaces RestrictRealtime RestrictSUIDSGID SystemCallArchitectures SystemCallFilter
    SystemCallLog
""".split()


def senders(settings: Settings) -> Iterator[Finding]:
    """Look at the services that are started at boot and are known to send."""
    found = [unit for name in unit_file.enabled() if _is_sender(name) and (unit := _load(name))]
    hindered = [finding for unit in found for finding in obstacles(unit, settings, warning)]
    yield from hindered
    if found and not hindered:
        short = ", ".join(unit.name.removesuffix(".service") for unit in found)
        yield ok("units", f"none of {short} is kept from sending")


def _load(name: str) -> Unit | None:
    """Return a unit, None where only the link is left that once enabled it."""
    try:
        return unit_file.load(name)
    except DataError:
        return None


def asked(settings: Settings, name: str) -> Iterator[Finding]:
    """Look at a service that sends, as the administrator says. Raises DataError: no such unit."""
    unit = unit_file.load(name)
    found = list(obstacles(unit, settings, broken))
    yield from found
    if not found:
        yield ok(unit.name, "nothing in it keeps mail from being dropped")


def drop_in(settings: Settings, name: str) -> DropIn | None:
    """Return what lets a service drop mail; None if it can, or no drop-in would be enough."""
    unit = unit_file.load(name)
    if _other_root(unit):
        return None
    return unit_mounts.drop_in(unit, settings.spool_directory, settings.credentials_directory)


def obstacles(unit: Unit, settings: Settings, make: Make) -> Iterator[Finding]:
    """Yield what in a unit keeps mail from being dropped, or from the real sendmail."""
    if root := _other_root(unit):
        remedy = "have all of it in there: Python, sesmail, the spool and /etc/sesmail"
        yield warning(unit.name, f"{root}: it sees another root", remedy)
        return
    prints = f"sesmailctl check --unit {unit.name} prints the drop-in"
    spool = settings.spool_directory
    closed = unit_mounts.barriers(unit, os.path.join(spool, "drop"))
    if any(mount.hides for mount in closed):
        text = "the spool is hidden from it, and its sendmail finds none"
        yield make(unit.name, f"{_named(closed)}: {text}", prints)
    elif closed:
        text = "the spool is read-only for it, and its sendmail ends with 73"
        remedy = f"ReadWritePaths={spool} in its unit; {prints}"
        yield make(unit.name, f"{_named(closed)}: {text}", remedy)
    path = settings.credentials_directory
    closed = [mount for mount in unit_mounts.barriers(unit, path) if mount.hides]
    if closed:
        text = f"{path} is hidden from it, so no identity is found"
        yield make(unit.name, f"{_named(closed)}: {text}", prints)
    yield from _without_privileges(unit, settings)


def _other_root(unit: Unit) -> str:
    """Return the setting that gives a unit another root directory, "" if there is none."""
    keys = ("RootDirectory", "RootImage")
    return next((f"{key}={unit.values[key]}" for key in keys if unit.is_on(key)), "")


def _without_privileges(unit: Unit, settings: Settings) -> Iterator[Finding]:
    """Yield that a set-id real sendmail cannot work there, if one is needed."""
    found = list(_takes_privileges(unit))
    if not found:
        return
    try:
        path = sendmail.real(settings)
    except ConfigurationError:
        return  # said already
    helper = sendmail.needs_set_id(path) if path else ""
    if helper:
        yield warning(
            unit.name,
            f"{', '.join(found)}: {helper} is set-id, which has no effect there; mail without "
            "credentials ends with 69",
            "give the domains that it sends for credentials, or take all of that out of its unit",
        )


def _takes_privileges(unit: Unit) -> Iterator[str]:
    """Yield each setting by which set-id programs have no rights in a unit."""
    for key in ("NoNewPrivileges", "DynamicUser", "PrivateUsers"):
        if unit.is_on(key):
            yield f"{key}={unit.values[key]}"
    if unit.values.get("User", "root") not in ("root", "0", ""):
        yield from (f"{key}=" for key in _IMPLY_NO_NEW_PRIVILEGES if unit.is_on(key))


def _named(mounts: list[Mount]) -> str:
    return ", ".join(dict.fromkeys(mount.setting for mount in mounts))


def _is_sender(name: str) -> bool:
    stem = name.removesuffix(".service")
    return any(fnmatch.fnmatch(stem, sender) for sender in _SENDERS)
