"""What programs that send are locked into: whether their systemd units let them drop a message."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator

from sesmail.control.check import sendmail, unit_file
from sesmail.control.check.finding import Finding, Make, broken, ok, warning
from sesmail.control.check.unit_file import Unit
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
_PROTECTED = {"strict": ("/",), "full": ("/usr", "/boot", "/efi", "/etc")}
_HOMES = ("/home", "/root", "/run/user")
_WRITABLE, _READ_ONLY, _HIDDEN = "writable", "read-only", "hidden"


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


def is_kept_out(settings: Settings, name: str) -> bool:
    """Tell whether a service cannot write to the drop."""
    return _to_drop(unit_file.load(name), settings)[0] != _WRITABLE


def drop_in(settings: Settings, name: str) -> list[str]:
    """Return the lines that make the drop-in for a service, to be pasted into root's shell."""
    directory = f"/etc/systemd/system/{unit_file.full_name(name)}.d"
    return [
        f"mkdir -p {directory}",
        f"cat >{directory}/sesmail.conf <<.",
        "[Service]",
        f"ReadWritePaths={settings.spool_directory}",
        ".",
        "systemctl daemon-reload",
        f"systemctl restart {unit_file.full_name(name)}",
    ]


def obstacles(unit: Unit, settings: Settings, make: Make) -> Iterator[Finding]:
    """Yield what in a unit keeps mail from being dropped, or from the real sendmail."""
    for key in ("RootDirectory", "RootImage"):
        if unit.is_on(key):
            yield warning(
                unit.name,
                f"{key}={unit.values[key]}: it sees another root",
                "have all of it in there: Python, sesmail, the spool and /etc/sesmail",
            )
            return
    access, why = _to_drop(unit, settings)
    if access != _WRITABLE:
        yield make(
            unit.name,
            f"{why}: the spool is {access} for it, and its sendmail ends with 73",
            f"ReadWritePaths={settings.spool_directory} in its unit; sesmailctl check --unit "
            f"{unit.name} prints the drop-in",
        )
    credentials, why = access_to(unit, settings.credentials_directory)
    if credentials == _HIDDEN:
        yield make(
            unit.name,
            f"{why}: {settings.credentials_directory} is hidden from it, so no identity is found",
            "take the path out: the files there are closed to it anyway",
        )
    yield from _without_privileges(unit, settings)


def _to_drop(unit: Unit, settings: Settings) -> tuple[str, str]:
    return access_to(unit, os.path.join(settings.spool_directory, "drop"))


def access_to(unit: Unit, path: str) -> tuple[str, str]:
    """Return what a unit's processes can do with a path, and which setting says so.

    Of settings for several directories above it that for the deepest counts (systemd.exec(5)).
    """
    deepest, access, why = "", _WRITABLE, ""
    for place, kind, setting in _mounts(unit):
        is_above = path == place or path.startswith(place.rstrip("/") + "/")
        if is_above and len(place) >= len(deepest):
            deepest, access, why = place, kind, setting
    return access, why


def _mounts(unit: Unit) -> Iterator[tuple[str, str, str]]:
    """Yield place, access and setting for each part of the file system that a unit sees changed."""
    system = unit.values.get("ProtectSystem", "").lower()
    if unit.is_on("DynamicUser") and system not in _PROTECTED:
        system = "strict"
    for place in _PROTECTED.get(system, ()):
        yield place, _READ_ONLY, f"ProtectSystem={system}"
    if unit.is_on("ProtectHome"):
        value = unit.values["ProtectHome"].lower()
        for place in _HOMES:
            kind = _READ_ONLY if value == "read-only" else _HIDDEN
            yield place, kind, f"ProtectHome={value}"
    for key, kind in (
        ("ReadOnlyPaths", _READ_ONLY),
        ("BindReadOnlyPaths", _READ_ONLY),
        ("InaccessiblePaths", _HIDDEN),
        ("TemporaryFileSystem", _HIDDEN),
        ("BindPaths", _WRITABLE),
        ("ReadWritePaths", _WRITABLE),
    ):
        for word in unit.words(key):
            yield _place(key, word), kind, f"{key}={word}"


def _place(key: str, word: str) -> str:
    """Return where the word of a setting takes effect: SOURCE[:DESTINATION], PATH[:OPTIONS]."""
    parts = word.split(":")
    return parts[1] if key.startswith("Bind") and len(parts) > 1 else parts[0]


def _without_privileges(unit: Unit, settings: Settings) -> Iterator[Finding]:
    """Yield that a set-id real sendmail cannot work there, if one is needed."""
    setting = _takes_privileges(unit)
    if not setting:
        return
    try:
        path = sendmail.real(settings)
    except ConfigurationError:
        return  # said already
    helper = sendmail.needs_set_id(path) if path else ""
    if helper:
        yield warning(
            unit.name,
            f"{setting}: {helper} is set-id, which has no effect there; mail without credentials "
            "ends with 69",
            "give the domains that it sends for credentials, or take the setting out of its unit",
        )


def _takes_privileges(unit: Unit) -> str:
    """Return the setting by which set-id programs have no rights in a unit, "" if there is none."""
    for key in ("NoNewPrivileges", "DynamicUser", "PrivateUsers"):
        if unit.is_on(key):
            return f"{key}={unit.values[key]}"
    if unit.values.get("User", "root") in ("root", "0", ""):
        return ""
    return next((f"{key}=" for key in _IMPLY_NO_NEW_PRIVILEGES if unit.is_on(key)), "")


def _is_sender(name: str) -> bool:
    stem = name.removesuffix(".service")
    return any(fnmatch.fnmatch(stem, sender) for sender in _SENDERS)
