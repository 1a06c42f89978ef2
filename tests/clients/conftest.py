"""A Debian host with Postfix, PHP and MediaWiki on which sesmail was put in place of sendmail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients import fpm, library, mediawiki, php, postfix
from tests.clients.machine import Machine
from tests.clients.recorder import Recorder
from tests.clients.tmux import Tmux
from tests.installation import Installation

_DIVERT = ["dpkg-divert", "--local", "--rename", "--divert"]


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    """A terminal."""
    made = Tmux(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="session")
def next_hop() -> Iterator[Recorder]:
    """The SMTP server to which every real sendmail of the session delivers."""
    with Recorder() as recorder:
        yield recorder


@pytest.fixture(scope="session")
def debian(
    installed: Installation, next_hop: Recorder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """The host, for the session; its programs run."""
    with Machine(tmp_path_factory.mktemp("debian"), installed.prefix.parent) as machine:
        machine.write("/etc/mailname", "host.example.com\n")
        _install_sesmail(machine, installed)
        _install_msmtp(machine, next_hop)
        postfix.start(machine, next_hop.port)
        fpm.start(machine)
        php.install(machine)
        mediawiki.install(machine)
        yield machine
        postfix.stop(machine)


@pytest.fixture
def machine(debian: Machine, next_hop: Recorder) -> Iterator[Machine]:
    """The host as a test finds it: no settings, no credentials, an empty next hop."""
    debian.run(["rm", "-rf", "/etc/sesmail"], "root", check=True)
    debian.run(["install", "-d", "/etc/sesmail"], "root", check=True)
    # www-data delivers itself until there is a daemon that does it for all users.
    directory = ["install", "-d", "-m", "0751", "-g", "www-data", "/etc/sesmail/credentials"]
    debian.run(directory, "root", check=True)
    next_hop.forget()
    yield debian
    print(postfix.log(debian))  # pytest shows it where a test failed


@pytest.fixture(scope="session")
def with_libraries(debian: Machine) -> Machine:
    """The host, for the session, with the programs of libraries/."""
    library.install(debian)
    return debian


@pytest.fixture
def equipped(with_libraries: Machine, machine: Machine) -> Machine:
    """The host as a test finds it, with the programs of libraries/."""
    assert with_libraries is machine
    return machine


@pytest.fixture(params=["postfix", "msmtp"])
def relaying(request: pytest.FixtureRequest, machine: Machine) -> Iterator[Machine]:
    """The host, its real sendmail being Postfix's or msmtp; neither is named in the settings."""
    diverted = machine.root / "usr/sbin/sendmail.postfix"
    aside = diverted.with_name("postfix-of-another-host")
    if request.param == "postfix":
        yield machine
    else:
        diverted.rename(aside)
        yield machine
        aside.rename(diverted)


def _install_sesmail(machine: Machine, installed: Installation) -> None:
    """Do what an administrator does where Postfix is: divert its sendmail, and link ours there."""
    command = [*_DIVERT, "/usr/sbin/sendmail.postfix", "--add", "/usr/sbin/sendmail"]
    machine.run(command, "root", check=True)
    link = ["ln", "-s", str(installed.sendmail), "/usr/sbin/sendmail"]
    machine.run(link, "root", check=True)


def _install_msmtp(machine: Machine, next_hop: Recorder) -> None:
    machine.write(
        "/etc/msmtprc",
        f"account default\nhost 127.0.0.1\nport {next_hop.port}\n"
        "from %U@host.example.com\nallow_from_override on\n",
    )
