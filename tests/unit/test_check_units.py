"""Units of systemd: what their files say, and whether that keeps mail from being dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from sesmail.control.check import unit_file, unit_mounts, units
from sesmail.control.check.finding import broken
from sesmail.control.check.unit_file import Unit
from sesmail.settings import Settings
from sesmail.sysexits import DataError

SPOOL = "/var/spool/sesmail"
DROP = f"{SPOOL}/drop"


def write(root: Path, path: str, *lines: str) -> None:
    """Write a file of a unit, with these lines under [Service]."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(["[Service]", *lines, ""]))


def unit(*lines: str) -> Unit:
    """Return a unit with these lines."""
    made = Unit("shop.service")
    made.read("\n".join(["[Service]", *lines]))
    return made


# The files.


def test_the_nearest_file_and_all_drop_ins(tmp_path: Path) -> None:
    """/etc hides /lib; drop-ins follow in the order of their names, wherever they are."""
    write(tmp_path, "lib/systemd/system/shop.service", "User=a", "ProtectSystem=strict")
    write(tmp_path, "etc/systemd/system/shop.service", "User=b", "PrivateTmp=yes")
    write(tmp_path, "etc/systemd/system/shop.service.d/20.conf", "User=d")
    write(tmp_path, "run/systemd/system/shop.service.d/10.conf", "User=c", "Nice=1")
    read = unit_file.load("shop", str(tmp_path))
    assert (read.name, read.values["User"], read.values["Nice"]) == ("shop.service", "d", "1")
    assert "ProtectSystem" not in read.values


def test_a_drop_in_hides_one_of_its_name(tmp_path: Path) -> None:
    """Of two drop-ins of a name the one in /etc counts."""
    write(tmp_path, "lib/systemd/system/shop.service", "User=a")
    write(tmp_path, "etc/systemd/system/shop.service.d/10.conf", "User=b")
    write(tmp_path, "usr/lib/systemd/system/shop.service.d/10.conf", "Group=c")
    read = unit_file.load("shop.service", str(tmp_path))
    assert read.values["User"] == "b"
    assert "Group" not in read.values


@pytest.mark.parametrize(
    ("name", "directory"),
    [
        ("shop@de", "shop@.service.d"),
        ("shop@de", "shop@de.service.d"),
        ("shop@de", "service.d"),
        ("my-shop-web", "my-.service.d"),
        ("my-shop-web", "my-shop-.service.d"),
    ],
)
def test_drop_ins_for_several_units(tmp_path: Path, name: str, directory: str) -> None:
    """Of a template, of units that begin alike, and of all services."""
    write(tmp_path, "lib/systemd/system/shop@.service", "User=a")
    write(tmp_path, "lib/systemd/system/my-shop-web.service", "User=a")
    write(tmp_path, f"etc/systemd/system/{directory}/10.conf", "User=b")
    assert unit_file.load(name, str(tmp_path)).values["User"] == "b"


def test_lists_add_up_until_they_are_emptied() -> None:
    """As systemd has it; the marks - and + are no part of a path, old names are the new ones."""
    lines = ["ReadWritePaths=-/a +/b", "ReadWriteDirectories=/c"]
    assert unit(*lines).words("ReadWritePaths") == ["/a", "/b", "/c"]
    assert unit(*lines, "ReadWritePaths=", "ReadWritePaths=/d").words("ReadWritePaths") == ["/d"]


def test_other_sections_and_comments_do_not_count() -> None:
    """Only [Service] does; a backslash at the end of a line continues it."""
    read = Unit("x")
    read.read("[Unit]\nUser=a\n[Service]\n#User=b\n;User=c\nExecStart=/x \\\n User=d\nUser = e\n")
    assert read.values["User"] == "e"


@pytest.mark.parametrize("name", ["none", "../shop", "a/b"])
def test_there_is_no_such_unit(tmp_path: Path, name: str) -> None:
    """A failure names it."""
    with pytest.raises(DataError, match="no unit"):
        unit_file.load(name, str(tmp_path))


def test_what_is_enabled(tmp_path: Path) -> None:
    """What some target wants."""
    write(tmp_path, "etc/systemd/system/multi-user.target.wants/b.service")
    write(tmp_path, "etc/systemd/system/timers.target.wants/a.service")
    write(tmp_path, "etc/systemd/system/timers.target.wants/a.timer")
    assert unit_file.enabled(str(tmp_path)) == ["a.service", "b.service"]


# What they do to a drop.


@pytest.mark.parametrize(
    ("lines", "closed"),
    [
        ([], []),
        (["PrivateTmp=yes", "ProtectHome=yes"], []),
        (["ProtectSystem=yes"], []),
        (["ProtectSystem=full"], []),
        (["ProtectSystem=strict"], ["ProtectSystem=strict"]),
        (["DynamicUser=yes"], ["ProtectSystem=strict"]),
        (["ProtectSystem=strict", "ReadWritePaths=/srv"], ["ProtectSystem=strict"]),
        (["ProtectSystem=strict", "ReadWritePaths=-/var"], []),
        (["ProtectSystem=strict", "BindPaths=/x:/var/spool"], []),
        (["ReadOnlyPaths=/var"], ["ReadOnlyPaths=/var"]),
        (["ReadOnlyPaths=/var", "ReadWritePaths=/var"], ["ReadOnlyPaths=/var"]),
        (["ReadOnlyPaths=/var/spoo"], []),
        (["BindReadOnlyPaths=/x:/var/spool"], ["BindReadOnlyPaths=/x:/var/spool"]),
        (["InaccessiblePaths=/var/spool"], ["InaccessiblePaths=/var/spool"]),
        (["TemporaryFileSystem=/var:ro"], ["TemporaryFileSystem=/var:ro"]),
        (["TemporaryFileSystem=/var", f"BindPaths={SPOOL}"], []),
    ],
)
def test_what_closes_the_drop(lines: list[str], closed: list[str]) -> None:
    """The deepest setting above it counts."""
    assert [one.setting for one in unit_mounts.barriers(unit(*lines), DROP)] == closed


@pytest.mark.parametrize("nested", [f"ReadWritePaths={SPOOL}", f"BindPaths={SPOOL}"])
def test_nothing_opens_what_is_inaccessible(nested: str) -> None:
    """Neither does anything open an empty file system but a bind mount (systemd.exec(5))."""
    found = unit_mounts.barriers(unit("InaccessiblePaths=/var/spool", nested), DROP)
    assert [one.setting for one in found] == ["InaccessiblePaths=/var/spool"]
    found = unit_mounts.barriers(unit("TemporaryFileSystem=/var", f"ReadWritePaths={SPOOL}"), DROP)
    assert [one.setting for one in found] == ["TemporaryFileSystem=/var"]


def test_all_of_them_at_once() -> None:
    """What hides it first: whoever mends one need not come again for the next."""
    lines = ["ProtectSystem=strict", "ReadOnlyPaths=/var", "InaccessiblePaths=/srv /var/spool"]
    (found,) = units.obstacles(unit(*lines), Settings(), broken)
    assert found.text.startswith(
        "InaccessiblePaths=/var/spool, ProtectSystem=strict, ReadOnlyPaths=/var: "
    )


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (["ProtectSystem=full"], unit_mounts.READ_ONLY),
        (["ProtectHome=read-only"], unit_mounts.READ_ONLY),
        (["ProtectHome=tmpfs"], unit_mounts.EMPTY),
        (["ProtectHome=yes"], unit_mounts.INACCESSIBLE),
    ],
)
def test_a_spool_elsewhere(lines: list[str], kind: str) -> None:
    """ProtectSystem=full and ProtectHome close what lies in /etc and /home."""
    path = "/etc/spool" if "ProtectSystem=full" in lines else "/home/spool"
    (found,) = unit_mounts.barriers(unit(*lines), path)
    assert found.kind == kind


@pytest.mark.parametrize(
    ("lines", "directory", "text"),
    [
        (["ProtectSystem=strict", "ReadOnlyPaths=/var"], SPOOL, [f"ReadWritePaths={SPOOL}"]),
        (["TemporaryFileSystem=/var:ro"], SPOOL, [f"BindPaths={SPOOL}"]),
        (
            ["InaccessiblePaths=/srv -/opt /var/spool", "ProtectSystem=strict"],
            SPOOL,
            ["InaccessiblePaths=", "InaccessiblePaths=/srv -/opt", f"ReadWritePaths={SPOOL}"],
        ),
        (["InaccessiblePaths=/var/spool"], SPOOL, ["InaccessiblePaths="]),
        (
            [f"ReadOnlyPaths=/etc {SPOOL}"],
            SPOOL,
            ["ReadOnlyPaths=", "ReadOnlyPaths=/etc", f"ReadWritePaths={SPOOL}"],
        ),
        (["ProtectHome=read-only"], "/home/spool", ["ReadWritePaths=/home/spool"]),
        (["ProtectHome=yes"], "/home/spool", ["ProtectHome=tmpfs", "BindPaths=/home/spool"]),
        (["InaccessiblePaths=/etc/sesmail"], SPOOL, ["InaccessiblePaths="]),
        (["TemporaryFileSystem=/etc"], SPOOL, ["BindReadOnlyPaths=/etc/sesmail/credentials"]),
    ],
)
def test_a_drop_in_opens_all_that_is_closed(
    lines: list[str], directory: str, text: list[str]
) -> None:
    """Read after the unit's own files, it leaves nothing in the way."""
    settings = Settings()
    settings.spool_directory = directory
    locked = unit(*lines)
    assert list(units.obstacles(locked, settings, broken)) != []
    made = unit_mounts.drop_in(locked, directory, settings.credentials_directory)
    assert made is not None
    assert made.text.splitlines() == ["[Service]", *text]
    assert made.file.startswith("/etc/systemd/system/shop.service.d/")
    locked.read(made.text)
    assert list(units.obstacles(locked, settings, broken)) == []
    assert unit_mounts.drop_in(locked, directory, settings.credentials_directory) is None


def test_a_drop_in_is_read_last_where_it_takes_something_back() -> None:
    """Before it, all that it takes back has to be said."""
    for line, name in (
        ("ProtectSystem=strict", "sesmail.conf"),
        ("InaccessiblePaths=/var", "zz-sesmail.conf"),
    ):
        made = unit_mounts.drop_in(unit(line), SPOOL, "/etc/sesmail/credentials")
        assert made is not None
        assert made.file == f"/etc/systemd/system/shop.service.d/{name}"


def test_what_is_told() -> None:
    """What is closed, by which setting, and the setting that opens it."""
    (found,) = units.obstacles(unit("ProtectSystem=strict"), Settings(), broken)
    assert found.level == "broken"
    assert "ProtectSystem=strict" in found.text
    assert "ReadWritePaths=/var/spool/sesmail" in found.remedy
    (found,) = units.obstacles(unit("InaccessiblePaths=/etc/sesmail"), Settings(), broken)
    assert "no identity is found" in found.text
    (found,) = units.obstacles(unit("RootDirectory=/srv/root"), Settings(), broken)
    assert "another root" in found.text
    assert list(units.obstacles(unit("User=www-data"), Settings(), broken)) == []


@pytest.mark.parametrize(
    ("lines", "setting"),
    [
        (["NoNewPrivileges=yes"], "NoNewPrivileges=yes"),
        (["PrivateUsers=true"], "PrivateUsers=true"),
        (["User=www-data", "SystemCallFilter=@system-service"], "SystemCallFilter="),
        (["SystemCallFilter=@system-service"], ""),
        (["User=www-data", "RestrictNamespaces=no"], ""),
        (["NoNewPrivileges=no"], ""),
        (
            ["NoNewPrivileges=yes", "PrivateUsers=yes", "User=1000", "LockPersonality=yes"],
            "NoNewPrivileges=yes, PrivateUsers=yes, LockPersonality=",
        ),
    ],
)
def test_set_id_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], setting: str
) -> None:
    """A real sendmail that needs set-id rights has none in a unit that takes them away."""
    settings = Settings()
    program = tmp_path / "sendmail"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o2755)
    settings.real_sendmail = str(program)
    found = list(units.obstacles(unit(*lines), settings, broken))
    assert [one.text.partition(": ")[0] for one in found] == ([setting] if setting else [])
    program.chmod(0o755)
    assert list(units.obstacles(unit(*lines), settings, broken)) == []
