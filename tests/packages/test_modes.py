"""What the packages put on a host: root's files, which nobody else can change, none with set-id."""

from __future__ import annotations

import io
import stat
import subprocess
import tarfile

from tests.packages.debs import Debs


def test_no_set_id_and_nothing_that_others_can_write(debs: Debs) -> None:
    """As the package holds them; what `sesmailctl init` makes besides, tests/command shows."""
    number = 0
    wide = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX | stat.S_IWGRP | stat.S_IWOTH
    for deb in (debs.sesmail, debs.sesmail_mta):
        packed = subprocess.check_output(["dpkg-deb", "--fsys-tarfile", deb])
        with tarfile.open(fileobj=io.BytesIO(packed)) as tree:
            for member in tree:
                number += 1
                assert (member.uid, member.gid) == (0, 0), member.name
                assert member.isreg() or member.isdir() or member.issym()
                assert member.issym() or not member.mode & wide, f"{member.name} {member.mode:o}"
                assert member.mode & stat.S_IROTH, member.name
    assert number > 200
