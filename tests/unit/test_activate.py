"""What activate decides: names, diversions, groups of alternatives, and steps that are undone."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from sesmail.control.activate import alternatives, aside, diversions, memory, names, php, step
from sesmail.control.activate.memory import Memory
from sesmail.control.activate.own import Own
from sesmail.control.activate.step import Step
from sesmail.sysexits import CannotCreate, DataError

# As Fedora's tool writes it; Debian's has neither families nor units.
STATE = """\
manual
/usr/sbin/sendmail
mta-mailq
/usr/bin/mailq
mta-pam
/etc/pam.d/smtp
mta-mailqman
/usr/share/man/man1/mailq.1.gz

/usr/sbin/sendmail.postfix
60 postfix
/usr/bin/mailq.postfix
/etc/pam.d/smtp.postfix
/usr/share/man/man1/mailq.postfix.1.gz
/usr/bin/msmtp
@small@240
/usr/bin/msmtp


"""


@pytest.fixture
def own(tmp_path: Path) -> Own:
    """An installation."""
    program = tmp_path / "local/bin/sesmail"
    program.parent.mkdir(parents=True)
    program.write_text("ours")
    return Own(str(program.parent.parent))


@pytest.fixture
def sendmail(tmp_path: Path) -> Path:
    """A name that is taken."""
    path = tmp_path / "sendmail"
    path.write_text("theirs")
    return path


def run(steps: list[Step]) -> list[str]:
    """Do the steps; return what is said."""
    said: list[str] = []
    step.run(steps, said.append)
    return said


def test_the_state_of_a_group() -> None:
    """Links, files of each follower, priorities and units."""
    group = alternatives.parse("mta", STATE)
    assert (group.link, group.is_manual) == ("/usr/sbin/sendmail", True)
    assert group.followers["mta-pam"] == "/etc/pam.d/smtp"
    postfix, msmtp = group.choices
    assert (postfix.priority, postfix.service) == (60, "postfix")
    assert postfix.followers["mta-mailq"] == "/usr/bin/mailq.postfix"
    assert (msmtp.priority, msmtp.service, msmtp.followers["mta-pam"]) == (240, "", "")


@pytest.mark.parametrize("text", ["", "auto\n/x\n", "auto\n/x\n\n/y\nhigh\n", "auto\n/x\nmta-y\n"])
def test_a_state_that_ends_early(text: str) -> None:
    """It is no group."""
    with pytest.raises((ValueError, StopIteration)):
        alternatives.parse("mta", text)


def test_we_are_first_of_a_group_and_keep_what_is_not_ours(own: Own) -> None:
    """Above the highest priority; PAM and pages that we have not are those of the choice before."""
    group = alternatives.parse("mta", STATE)
    words = alternatives.installation(group, own, "/usr/sbin/sendmail.postfix")
    assert words[:5] == ["--install", "/usr/sbin/sendmail", "mta", own.program, "250"]
    files = {words[at + 2]: words[at + 3] for at in range(5, len(words), 4)}
    assert files == {
        "mta-mailq": own.program,
        "mta-pam": "/etc/pam.d/smtp.postfix",
        "mta-mailqman": "/usr/share/man/man1/mailq.postfix.1.gz",
    }


def test_the_list_of_diversions() -> None:
    """Those of packages, and local ones."""
    text = "diversion of /bin/sh to /bin/sh.distrib by dash\nlocal diversion of /a to /a.distrib\n"
    found = {"/bin/sh": ("/bin/sh.distrib", "dash"), "/a": ("/a.distrib", ":")}
    assert diversions.parse(text) == found


def test_a_name_goes_and_comes_back(own: Own, sendmail: Path) -> None:
    """The very file; the second time there is nothing to do."""
    kept = str(sendmail) + ".real"
    inode = sendmail.stat().st_ino
    assert len(run(list(names.take(str(sendmail), kept, own, replaces=False)))) == 1
    assert os.readlink(sendmail) == own.program
    assert list(names.take(str(sendmail), kept, own, replaces=False)) == []
    run(list(names.put_back(str(sendmail), kept, own)))
    assert sendmail.lstat().st_ino == inode
    assert not os.path.lexists(kept)


def test_a_relative_link_stays_one(own: Own, sendmail: Path) -> None:
    """What is moved is the link, not what it names."""
    link = sendmail.with_name("mailq")
    link.symlink_to("sendmail")
    run(list(aside.take([str(link)], own, [])))
    assert os.readlink(f"{link}.real") == "sendmail"
    run(list(aside.give_back([str(link)], own)))
    assert os.readlink(link) == "sendmail"


def test_a_link_to_where_we_were_is_renewed(own: Own, tmp_path: Path) -> None:
    """After an installation elsewhere; the link that leads nowhere is not kept as the real one."""
    path = tmp_path / "mailq"
    path.symlink_to("/opt/old/bin/sesmail")
    moved = dataclasses.replace(own, earlier="/opt/old/bin/sesmail")
    run(list(aside.take([str(path)], moved, [str(path)])))
    assert os.readlink(path) == own.program
    assert not os.path.lexists(f"{path}.real")


def test_all_is_undone_if_one_step_fails(own: Own, sendmail: Path) -> None:
    """In the reverse order, the one that failed with them."""

    def fail() -> None:
        raise PermissionError(1, "Operation not permitted", "/a/file")

    steps = list(names.take(str(sendmail), f"{sendmail}.real", own, replaces=False))
    with pytest.raises(CannotCreate, match="all is as it was before"):
        run([*steps, Step("put", "a file", fail, fail)])
    assert sendmail.read_text() == "theirs"
    assert not sendmail.is_symlink()
    assert sorted(path.name for path in sendmail.parent.iterdir()) == ["local", "sendmail"]


def test_what_is_in_the_way_is_refused(own: Own, sendmail: Path) -> None:
    """A file that is kept there, and directories."""
    kept = sendmail.with_name("sendmail.real")
    kept.write_text("another's")
    with pytest.raises(CannotCreate, match="is in the way"):
        list(names.take(str(sendmail), str(kept), own, replaces=False))
    kept.unlink()
    kept.mkdir()
    with pytest.raises(CannotCreate, match="it is a directory"):
        list(names.take(str(sendmail), str(kept), own, replaces=True))


def test_what_make_install_put_there_is_not_taken(own: Own, tmp_path: Path) -> None:
    """Its links are relative; ours name the program from the root."""
    path = tmp_path / "local/bin/mailq"
    path.symlink_to("sesmail")
    assert own.is_installed(str(path))
    path.unlink()
    path.symlink_to(own.program)
    assert not own.is_installed(str(path))


def test_memory(tmp_path: Path) -> None:
    """It is gone with its directory when nothing is active; a damaged file is said to be."""
    path = str(tmp_path / "lib/activation.json")
    held = Memory(way="aside", target="/usr/local/bin/sesmail", names=["/usr/bin/mailq"])
    memory.save(held, path)
    assert memory.load(path) == held
    Path(path).write_text('{"way": 1, "else": 2}')
    with pytest.raises(DataError, match="cannot read"):
        memory.load(path)
    memory.save(Memory(), path)
    assert memory.load(path) == Memory()
    assert list(tmp_path.iterdir()) == []


def test_php_is_found_as_distributions_have_it(tmp_path: Path) -> None:
    """Debian by version and way, Fedora, Arch."""
    wanted = ["etc/php/8.2/cli/conf.d", "etc/php/8.2/fpm/conf.d", "etc/php/conf.d", "etc/php.d"]
    for name in wanted:
        (tmp_path / name).mkdir(parents=True)
    found = php.directories(str(tmp_path))
    assert found == sorted(str(tmp_path / name) for name in wanted)
