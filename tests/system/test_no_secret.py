"""No secret on a screen, in a log, in the environment or arguments of a process, in a wide file.

A session as administrators have them, from the first set-up to the removal, with what goes wrong.
"""

from __future__ import annotations

import signal
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from sesmail.sysexits import EX_CONFIG, EX_DATAERR, EX_OK, EX_UNAVAILABLE
from tests.fakes import faults
from tests.fakes.dns import DnsServer
from tests.fakes.ses import KEY_ID, SECRET
from tests.installation import Installation
from tests.secrets_watch import Watch
from tests.setups import ADMIN_ID, ADMIN_SECRET, World
from tests.spool import IDENTITY, Spool
from tests.system.test_setup_terminal import type_credentials
from tests.terminal import Person

pytestmark = pytest.mark.root

WRONG = "wRongXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLETOKENthatIsLongerThanThis//////////"
MSMTPRC = """\
account default
host email-smtp.{region}.amazonaws.com
from wiki@example.net
user {key_id}
password {password}
"""

LOOKS = """\
check
check --json
status --json
status --metrics
queue list
log
log --json
report
suppression list
policy example.com
completion identities
--help
""".splitlines()


class Session:
    """Commands of an installation, watched."""

    def __init__(self, world: World, installed: Installation) -> None:
        self.spool = world.spool
        self.world = world
        self.password = world.ses.smtp_password()
        secrets = [SECRET, self.password, ADMIN_SECRET, WRONG, TOKEN]
        self.watch = Watch(world.directory / "traces", secrets, world.spool.credentials)
        self.environ = {"SESMAIL_CONFIG": str(world.spool.configuration)}
        self._command = installed.command("sesmailctl")
        world.spool.command = self.watch.command([installed.command("sesmaild")], is_parent=False)

    def run(self, *words: str | Path) -> int:
        """Run sesmailctl."""
        return self.watch.run([self._command, *words], self.environ)

    def person(self, *words: str) -> Person:
        """Run it on a terminal."""
        return Person(self.watch.command([self._command, *words]), self.environ)


@pytest.fixture
def session(spool: Spool, installed: Installation, tmp_path: Path) -> Iterator[Session]:
    """Nothing is set up."""
    with DnsServer() as dns:
        spool.settings(real_sendmail="none")
        yield Session(World(spool, dns, tmp_path), installed)


def test_a_session(session: Session) -> None:
    """Set up by flags and by hand, imported, tried, sent with, broken, and removed."""
    watch, world, spool = session.watch, session.world, session.spool
    secret = watch.input(world.directory / "secret", f"{SECRET}\n")
    admin = watch.input(world.directory / "admin", f"{ADMIN_SECRET}\n")
    region = world.state.region
    flags = ["--key-id", KEY_ID, "--secret-file", str(secret), "--region", region]
    flags += ["--admin-key-id", ADMIN_ID, "--admin-secret-file", str(admin)]
    words = world.words(*flags, "--no-wait", "--no-test")
    assert session.run(*words) == EX_UNAVAILABLE  # not verified
    world.publish()
    assert session.run(*world.words("--no-test", "--json")) == EX_OK

    msmtprc = MSMTPRC.format(region=region, key_id=KEY_ID, password=session.password)
    path = watch.input(world.directory / "msmtprc", msmtprc)
    assert session.run("import", path) == EX_OK
    assert session.run("import", "--apply", path) == EX_OK
    assert session.run("import", watch.input(world.directory / "x", f"{SECRET}\n")) == EX_DATAERR

    assert session.run("test", IDENTITY) == EX_OK  # by the foreground
    spool.start()
    assert session.run("test", IDENTITY) == EX_OK
    spool.use_smtp(identity="example.net")
    world.state.identities.add("example.net")
    assert session.run("test", "example.net") == EX_OK
    spool.identity("example.org", "[default]", *pair(KEY_ID, WRONG), api(spool))
    assert session.run("test", "example.org", "--json") == EX_CONFIG
    temporary = pair("ASIAIOSFODNN7EXAMPLE", SECRET)
    spool.identity("example.edu", *temporary, f"aws_session_token = {TOKEN}", api(spool))
    assert session.run("test", "example.edu") == EX_CONFIG
    spool.identity("broken.example", *pair(KEY_ID, SECRET), SECRET)
    assert session.run("test", "broken.example") == EX_CONFIG
    for line in LOOKS:
        session.run(*line.split())
    for queue_id in {entry.queue_id for entry in spool.waiting()}:
        assert session.run("queue", "show", queue_id) == EX_OK
    spool.send(signal.SIGHUP)
    spool.wait_for_log("settings and credentials are read again")
    assert spool.stop() == 0
    assert session.run("remove", IDENTITY, "--yes") == EX_OK
    watch.said += "\n".join(spool.log)

    watch.verify(world.directory)
    assert len(watch.said) > 5000


def pair(key_id: str, secret: str) -> list[str]:
    """Return the lines of a pair of keys."""
    return [f"aws_access_key_id = {key_id}", f"aws_secret_access_key = {secret}"]


def api(spool: Spool) -> str:
    """Return the line that leads to the stand-in's API."""
    return f"endpoint_url = {spool.ses.api_url}"


def test_typed(session: Session) -> None:
    """A secret typed at the terminal is not shown, nor anywhere else."""
    world = session.world
    words = world.words("--no-wait", "--no-test", "--mail-from", "none")
    with session.person(*words) as person:
        type_credentials(person, WRONG)
        person.expect("These do not work")
        type_credentials(person)
        person.ended()
        session.watch.said += person.screen
    assert SECRET in world.file.read_text()
    session.watch.verify(world.directory)


@pytest.mark.parametrize("form", ["PLAIN", "LOGIN", "password"])
def test_a_server_that_repeats_the_login(session: Session, form: str) -> None:
    """What it says to AUTH reaches log, queue and screen; not what it repeats there."""
    password = session.password
    repeated = {
        "PLAIN": b64encode(f"\0{KEY_ID}\0{password}".encode()).decode(),
        "LOGIN": b64encode(password.encode()).decode(),
        "password": password,
    }[form]
    spool = session.spool
    spool.use_smtp()
    spool.ses.script(faults.reply("AUTH", 501, f"5.5.4 cannot read: {repeated}, sorry"))
    spool.start()
    queue_id = spool.drop()
    (line,) = spool.wait_for_log("status=deferred")
    assert "501 5.5.4 cannot read: (password), sorry" in line
    assert session.run("queue", "show", queue_id) == EX_OK
    assert "cannot read: (password), sorry" in session.watch.said
    assert spool.stop() == 0
    session.watch.said += "\n".join(spool.log)
    session.watch.verify(session.world.directory)


LEAKS = {
    "argument": "import subprocess; subprocess.run(['true', SECRET])",
    "environment": "import subprocess; subprocess.run(['true'], env={'X': SECRET})",
    "output": "print(SECRET)",
    "file": "open(PATH + '/x', 'w').write(SECRET)",
    "wide": "open(CREDENTIALS + '/x', 'w').write(SECRET)",
    "short-lived": (
        "import os; path = CREDENTIALS + '/x'; open(path, 'w').write(SECRET); os.unlink(path)"
    ),
    "base64": "import base64; print(base64.b64encode(b'user\\0' + SECRET.encode()).decode())",
}


@pytest.mark.parametrize("code", LEAKS.values(), ids=LEAKS)
def test_a_leak_would_be_seen(tmp_path: Path, code: str) -> None:
    """Each way in which a secret can get out is noticed."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    watch = Watch(tmp_path / "traces", [SECRET], credentials)
    secret = watch.input(tmp_path / "secret", SECRET)
    head = f"SECRET = open({str(secret)!r}).read(); PATH = {str(tmp_path)!r}; "
    head += f"CREDENTIALS = {str(credentials)!r}; import os; os.umask(0o022); "
    assert watch.run([sys.executable, "-I", "-c", head + code], {"PATH": "/usr/bin:/bin"}) == 0
    with pytest.raises(AssertionError, match=r"SECRET|holds a secret") as caught:
        watch.verify(tmp_path)
    assert SECRET not in str(caught.value)


def test_what_is_allowed_is_not_seen(tmp_path: Path) -> None:
    """A credentials file for owner and group."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    watch = Watch(tmp_path / "traces", [SECRET], credentials)
    secret = watch.input(tmp_path / "secret", SECRET)
    code = (
        f"import os; f = os.open({str(credentials / 'x')!r}, os.O_CREAT | os.O_WRONLY, 0o640)\n"
        f"os.write(f, open({str(secret)!r}, 'rb').read())"
    )
    assert watch.run([sys.executable, "-I", "-c", code], {}) == 0
    watch.verify(tmp_path)
