"""`sesmailctl import`: what it shows, what it writes, and whom it asks."""

from __future__ import annotations

import grp
import json
import os
import pwd
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from sesmail.delivery import credentials
from sesmail.sysexits import EX_DATAERR, EX_NOPERM, EX_OK, EX_USAGE
from tests.host import Host, Result
from tests.installation import CHECKOUT
from tests.terminal import Person

CORPUS = CHECKOUT / "tests/corpus/import"
KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
PASSWORDS = [
    "BMW5RDrXmmVs0lV7GpI4oLkHXpZ4stDsk6q91z1g38Pk",
    "BF2PynzbSCAjX08zhZZnP/kW+T9P5zs/1Er0pi5vTEmd",
    "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9",
    SECRET,
]

Import = Callable[..., Result]


@pytest.fixture
def run(host: Host) -> Import:
    """`sesmailctl import`; it must never show a secret."""
    host.settings(user=pwd.getpwuid(os.getuid()).pw_name)

    def run(*words: str | Path, stdin: bytes = b"", user: str | None = None) -> Result:
        argv = ["import", *(str(word) for word in words)]
        result = host.run(*argv, name="sesmailctl", stdin=stdin, user=user)
        for secret in PASSWORDS:
            assert secret.encode() not in result.stdout + result.stderr
        return result

    return run


def test_it_shows_what_it_would_write(host: Host, run: Import) -> None:
    """A table with the length of the secret, the others with the reason; nothing is written."""
    result = run(CORPUS / "msmtp/msmtprc")
    assert (result.exit_code, result.stderr) == (EX_OK, b"")
    lines = result.stdout.decode().splitlines()
    assert lines[0] == f"In {CORPUS}/msmtp/msmtprc:"
    assert lines[1].split() == ["identity", "key", "id", "secret", "region"]
    words = ["example.com", KEY_ID, "SMTP", "(44", "characters)", "eu-west-1"]
    assert lines[2].split() == words
    assert lines[4].endswith("  us-west-2")
    assert lines[5].strip() == "smtp_port = 2587"
    over = f"warning {CORPUS}/msmtp/msmtprc:"
    assert lines[6] == f"{over}26 (gmail): passed over: smtp.gmail.com is not of SES"
    assert lines[7].startswith(f"{over}33 (pass): passed over: passwordeval is not run; ")
    assert lines[8:] == ["nothing is written; with --apply it is"]
    assert list(host.credentials.iterdir()) == []


def test_apply(host: Host, run: Import) -> None:
    """The files are written, for the daemon's user alone, as the daemon reads them."""
    result = run("--apply", CORPUS / "msmtp/msmtprc")
    assert result.exit_code == EX_OK
    names = sorted(path.name for path in host.credentials.iterdir())
    assert names == ["example.com", "example.net", "shop.example.org"]
    for name in names:
        status = (host.credentials / name).stat()
        assert stat.S_IMODE(status.st_mode) == 0o640
        assert (status.st_uid, status.st_gid) == (os.getuid(), os.getgid())
        assert f"ok      {host.credentials / name} is written".encode() in result.stdout
    loaded = credentials.load(str(host.credentials), "example.net")
    assert (loaded.transport, loaded.region, loaded.smtp_port) == ("smtp", "us-west-2", 2587)
    assert loaded.smtp_password == PASSWORDS[1]


@pytest.mark.root
def test_apply_for_the_user_of_the_settings(host: Host, run: Import) -> None:
    """Root owns the file, the group of the user reads it."""
    host.settings(user="www-data")
    assert run("--apply", CORPUS / "boto/boto.cfg", "--domain", "example.com").exit_code == EX_OK
    status = (host.credentials / "example.com").stat()
    assert (status.st_uid, status.st_gid) == (0, grp.getgrnam("www-data").gr_gid)
    assert stat.S_IMODE(status.st_mode) == 0o640


def test_what_is_there_is_left_alone(host: Host, run: Import) -> None:
    """Unless --replace is given; run again, nothing changes."""
    path = host.identity("example.com", "region = eu-west-1\n", 0o640)
    result = run("--apply", CORPUS / "ssmtp/ssmtp.conf")
    assert result.exit_code == EX_OK
    assert b"there is such a file already; --replace replaces it" in result.stdout
    assert path.read_text() == "region = eu-west-1\n"
    result = run("--apply", "--replace", CORPUS / "ssmtp/ssmtp.conf", CORPUS / "ubos")
    assert result.exit_code == EX_OK
    assert b"from\nexample.com" in result.stdout  # of two files it is said which
    assert f"aws_access_key_id = {KEY_ID}\n" in path.read_text()


def test_the_domain_is_asked_for(host: Host, run: Import) -> None:
    """Where nobody can be asked, a look shows what is missing, and --apply names the flag."""
    path = CORPUS / "postfix/main.cf"
    result = run(path)
    assert result.exit_code == EX_OK
    assert b"its domain is not told; --domain names it" in result.stdout
    result = run("--apply", path)
    assert result.exit_code == EX_USAGE
    assert b"use --domain" in result.stderr
    assert run("--apply", "--domain", "Example.ORG", path).exit_code == EX_OK
    assert [path.name for path in host.credentials.iterdir()] == ["example.org"]


def test_one_domain_is_for_one_login(host: Host, run: Import) -> None:
    """With more of them --account chooses."""
    path = CORPUS / "msmtp/msmtprc"
    result = run("--domain", "example.edu", path)
    assert result.exit_code == EX_USAGE
    assert b"--domain is for one login, here are 3; --account chooses" in result.stderr
    words = ("--apply", "--domain", "example.edu", "--account", "tabs", path)
    assert run(*words).exit_code == EX_OK
    assert [path.name for path in host.credentials.iterdir()] == ["example.edu"]
    assert run("--account", "none", path).exit_code == EX_USAGE


def test_two_logins_for_one_domain(host: Host, run: Import) -> None:
    """The first counts, and the other is named; it can be written for one address."""
    path = CORPUS / "msmtp-conflict/.msmtprc"
    result = run("--apply", path)
    assert result.exit_code == EX_OK
    assert b"another login for example.com than" in result.stdout
    result = run("--apply", "--account", "two", "--domain", "shop@example.com", path)
    assert result.exit_code == EX_OK
    names = sorted(path.name for path in host.credentials.iterdir())
    assert names == ["example.com", "shop@example.com"]


def test_json(run: Import) -> None:
    """A document for each login; people's lines go to standard error."""
    result = run("--json", "--region", "eu-west-1", CORPUS / "aws/credentials")
    assert result.exit_code == EX_OK
    documents = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["done"] for one in documents] == [
        "passed over",
        "would be written",
        "passed over",
        "passed over",
    ]
    assert documents[1] == {
        "file": f"{CORPUS}/aws/credentials",
        "line": None,
        "account": "example.com",
        "identity": "example.com",
        "done": "would be written",
        "reason": "",
        "key_id": "AKIAI44QH8DHBEXAMPLE",
        "secret": "API (40 characters)",
        "settings": {"region": "eu-central-1"},
    }


def test_standard_input_and_a_format_by_name(host: Host, run: Import) -> None:
    """`-` is what comes through a pipe; --from says what it is."""
    content = (CORPUS / "nullmailer/remotes").read_bytes()
    words = ("--apply", "--from", "nullmailer", "--domain", "example.com")
    assert run(*words, "-", stdin=content).exit_code == EX_OK
    assert (host.credentials / "example.com").exists()


def test_a_file_with_a_mistake_does_not_stop_the_others(
    host: Host, run: Import, tmp_path: Path
) -> None:
    """Nothing of it is taken; the others are, and the exit code tells."""
    wrong = tmp_path / "msmtprc"
    shutil.copy(CORPUS / "secret-as-password/msmtprc", wrong)
    with wrong.open("a") as file:
        file.write("account x : y\n")
    result = run("--apply", wrong, CORPUS / "ssmtp/ssmtp.conf")
    assert result.exit_code == EX_DATAERR
    reason = f"broken  {wrong}, line 7: there is no account y above"
    assert reason.encode() in result.stdout
    loaded = credentials.load(str(host.credentials), "example.com")
    assert loaded.smtp_password == PASSWORDS[2]


@pytest.mark.root
def test_another_user_cannot_write(host: Host, run: Import) -> None:
    """Said before anything is asked; looking is for everybody who may read the file."""
    path = host.directory / "ssmtp.conf"
    shutil.copy(CORPUS / "ssmtp/ssmtp.conf", path)
    path.chmod(0o644)
    result = run("--apply", path, user="www-data")
    assert (result.exit_code, result.stdout) == (EX_NOPERM, b"")
    assert b"only root can change the files" in result.stderr
    assert run(path, user="www-data").exit_code == EX_OK
    path.chmod(0o600)
    result = run(path, user="www-data")
    assert result.exit_code == EX_NOPERM
    assert b"not permitted to read" in result.stdout


def test_a_person_is_asked(host: Host, run: Import) -> None:
    """On a terminal the domain is asked for, also where nothing is to be written."""
    assert run(CORPUS / "boto/boto.cfg").exit_code == EX_OK  # nobody is there
    words = ["import", str(CORPUS / "boto/boto.cfg")]
    with Person([host.installed.command("sesmailctl"), *words], host.environment()) as person:
        person.expect(f"Domain of the login in {CORPUS}/boto/boto.cfg: ")
        person.type("Example.ORG")
        assert person.ended() == EX_OK
        assert "example.org" in person.screen
        assert "nothing is written; with --apply it is" in person.screen
        assert SECRET not in person.screen
        (row,) = [line for line in person.screen.splitlines() if line.startswith("example.org")]
        assert row.split() == ["example.org", KEY_ID, "API", "(40", "characters)", "us-west-2"]
    assert list(host.credentials.iterdir()) == []
