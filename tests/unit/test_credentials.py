"""The credentials file: what it may say, what it means, and what is told about a mistake."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from sesmail.delivery import credentials, credentials_file
from sesmail.delivery.credentials import Credentials
from sesmail.sysexits import ConfigurationError, NotPermitted

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
TEMPORARY = "ASIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SMTP_4 = "BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2"
SMTP_2 = base64.b64encode(b"\x02" + bytes(range(32))).decode()
TOKEN = "FwoGZXIvYXdzEXAMPLETOKEN=="
PAIR = f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"
SMTP_PAIR = f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SMTP_4}\n"


@pytest.fixture
def load(tmp_path: Path) -> Loader:
    """Load the identity example.com from a file with the given text."""
    return Loader(tmp_path)


class Loader:
    """Writes a credentials file and loads it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "example.com"

    def __call__(self, text: str | bytes) -> Credentials:
        self.path.write_bytes(text.encode() if isinstance(text, str) else text)
        self.path.chmod(0o640)
        return credentials.load(str(self.directory), "example.com")

    def refused(self, text: str | bytes) -> str:
        """Return what is said about a file that is refused; no secret may be in it."""
        with pytest.raises(ConfigurationError) as caught:
            self(text)
        said = str(caught.value)
        for private in (SECRET, SMTP_4, SMTP_2, TOKEN):
            assert private not in said
            assert private.lower() not in said
        return said.replace(str(self.path), "FILE")


@pytest.mark.parametrize(
    "text",
    [
        PAIR,
        f"[default]\n{PAIR}",
        f"# comment\n; another\n\n[ default ]\n{PAIR}",
        f"\ufeff[default]\r\n{PAIR}".replace("\n", "\r\n"),
        PAIR.replace("aws_secret_access_key", "aws_secret_key"),
        PAIR.replace("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY").replace("aws_a", "Aws_A"),
        f"  aws_access_key_id={KEY_ID}\n\taws_secret_access_key\t=\t{SECRET}  \n",
        f"aws_access_key_id = '{KEY_ID}'\naws_secret_access_key = \"{SECRET}\"",
        f"{PAIR}output = json\ncli_pager =\n",
    ],
)
def test_ways_to_write_a_pair(load: Loader, text: str) -> None:
    """INI or bare lines, any case, quotes, CRLF, a byte order mark: the same key pair, the API."""
    found = load(text)
    assert (found.access_key_id, found.secret_access_key) == (KEY_ID, SECRET)
    assert (found.transport, found.region, found.identity) == ("api", "us-east-1", "example.com")


def test_a_comment_need_not_be_unicode(load: Loader) -> None:
    """A comment in Latin-1 does no harm; a value in Latin-1 is refused with its line."""
    assert load(b"# f\xfcr die Wiki\n" + PAIR.encode()).transport == "api"
    assert load.refused(PAIR.encode() + b"author = f\xfcr@example.com\n") == (
        "FILE, line 3: not UTF-8 text"
    )


def test_smtp_password(load: Loader) -> None:
    """A secret of 44 characters is an SMTP password: the transport is SMTP, the API has no key."""
    found = load(SMTP_PAIR)
    assert (found.transport, found.smtp_password, found.secret_access_key) == ("smtp", SMTP_4, "")
    assert found.warnings == ()


def test_old_smtp_password(load: Loader) -> None:
    """A password of version 2 works too, with a warning."""
    found = load(SMTP_PAIR.replace(SMTP_4, SMTP_2))
    assert (found.transport, found.smtp_password) == ("smtp", SMTP_2)
    assert "before 2019" in found.warnings[0]


def test_smtp_with_an_api_secret(load: Loader) -> None:
    """transport = smtp with an IAM secret: the SMTP password of the region is derived from it."""
    found = load(f"{PAIR}transport = SMTP\nregion = eu-west-1\n")
    assert found.transport == "smtp"
    assert len(found.smtp_password) == 44
    assert found.smtp_password != load(f"{PAIR}transport = smtp").smtp_password


def test_temporary_keys(load: Loader) -> None:
    """Temporary keys with their token are for the API, and give no SMTP password."""
    found = load(f"{PAIR}aws_session_token = {TOKEN}\n".replace(KEY_ID, TEMPORARY))
    assert (found.transport, found.session_token, found.smtp_password) == ("api", TOKEN, "")


def test_no_keys_mean_the_role(load: Loader) -> None:
    """A file without keys means the role of the instance or container."""
    found = load("region = eu-west-1\n")
    assert (found.transport, found.access_key_id, found.profile) == ("api", "", {})
    assert not found.names_a_source()


def test_no_secret_in_the_representation(load: Loader) -> None:
    """What a debugger or a log would show has neither key nor secret."""
    for text in (PAIR, SMTP_PAIR, f"{PAIR}role_arn = arn:aws:iam::1:role/x\n"):
        shown = repr(load(text))
        assert not any(private in shown for private in (KEY_ID, SECRET, SMTP_4))


def test_all_members(load: Loader) -> None:
    """Each key of ours arrives with its type."""
    found = load(
        PAIR + "region = eu-west-1\nendpoint_url = http://127.0.0.1:8080\nsmtp_host = localhost\n"
        "smtp_port = 2525\nsmtp_tls = none\nca_file = /dev/null\nconfiguration_set = news\n"
        "tags = a=b, c=d\nfeedback_address = bounces@EXAMPLE.com\nauthor = cron@example.com\n"
        "submitters = root, @www-data\nmax_send_rate = 14\nx_ses_headers = keep\n"
    )
    assert found.region == "eu-west-1"
    assert found.endpoint_url == "http://127.0.0.1:8080"
    assert (found.smtp_host, found.smtp_port, found.smtp_tls) == ("localhost", 2525, "none")
    assert found.ca_file == "/dev/null"
    assert found.configuration_set == "news"
    assert found.tags == (("a", "b"), ("c", "d"))
    assert found.feedback_address == "bounces@example.com"
    assert found.author == "cron@example.com"
    assert found.submitters == ("root", "@www-data")
    assert found.max_send_rate == 14.0
    assert found.x_ses_headers == "keep"


def test_capture(load: Loader) -> None:
    """transport = capture needs no keys, only a directory."""
    found = load("transport = capture\ndirectory = /var/mail/captured\n")
    assert (found.transport, found.directory) == ("capture", "/var/mail/captured")


def test_profile_passes_through(load: Loader) -> None:
    """What a boto3 profile takes reaches botocore, other sections too; what is ours does not."""
    found = load(
        "role_arn = arn:aws:iam::1:role/mail\nsource_profile = base\ntags = a=b\n"
        f"[profile base]\n{PAIR}"
    )
    assert found.names_a_source()
    assert found.profile == {
        "default": {"role_arn": "arn:aws:iam::1:role/mail", "source_profile": "base"},
        "profile base": {"aws_access_key_id": KEY_ID, "aws_secret_access_key": SECRET},
    }


def test_a_pair_assumes_the_role_beside_it(load: Loader) -> None:
    """A pair and role_arn in one section: the pair is what assumes the role."""
    found = load(f"{PAIR}role_arn = arn:aws:iam::1:role/mail\n")
    assert found.profile["default"]["source_profile"] == "default"
    assert found.smtp_password == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"aws_access_key_id = {KEY_ID}\n", "FILE: aws_secret_access_key is missing"),
        (f"aws_secret_access_key = {SECRET}\n", "FILE: aws_access_key_id is missing"),
        (f"{PAIR}".replace(SECRET, ""), "FILE, line 2: aws_secret_access_key is missing"),
        ("aws_session_token = x\n", "FILE: aws_access_key_id is missing"),
        (PAIR.replace(KEY_ID, SECRET).replace(f"y = {SECRET}", f"y = {KEY_ID}"), "are swapped"),
        (PAIR.replace(KEY_ID, "ses-smtp-user.20261124-034447"), "line 1: aws_access_key_id has 29"),
        (PAIR.replace(SECRET, SECRET[:-1]), "line 2: aws_secret_access_key has 39 characters"),
        (PAIR.replace(SECRET, "!" * 40), "line 2: aws_secret_access_key has 40 characters"),
        (PAIR.replace(SECRET, "Z" + SMTP_4[1:]), "line 2: 44 characters, but no SES SMTP password"),
        (PAIR.replace(KEY_ID, TEMPORARY), "line 1: a temporary (ASIA) key needs aws_session_token"),
        (f"{PAIR}aws_session_token = {TOKEN}", "line 3: a long-term (AKIA) key has no session"),
        (
            SMTP_PAIR.replace(KEY_ID, TEMPORARY),
            "line 1: a temporary (ASIA) key cannot be used with",
        ),
    ],
)
def test_wrong_pairs(load: Loader, text: str, said: str) -> None:
    """A pair of the wrong shape is told which of the two it is, and in which line."""
    assert said in load.refused(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f"{SMTP_PAIR}transport = api\n",
            "line 3: transport: api, but aws_secret_access_key is an",
        ),
        ("transport = smtp\n", "line 1: transport: smtp needs a key pair"),
        (f"{PAIR}transport = pigeon\n", "line 3: transport: one of api, smtp, capture is needed"),
        (f"{PAIR}transport = capture\n", "FILE: transport = capture and directory belong together"),
        (f"{PAIR}directory = /x\n", "line 3: transport = capture and directory belong together"),
        (
            f"{PAIR}transport = smtp\naws_session_token = {TOKEN}\n".replace(KEY_ID, TEMPORARY),
            "line 3: transport: a temporary (ASIA) key cannot be used with SMTP",
        ),
        (f"{PAIR}transport = smtp\nrole_arn = arn:x\n", "line 3: transport: smtp needs a key pair"),
    ],
)
def test_transport_and_keys_disagree(load: Loader, text: str, said: str) -> None:
    """A transport that the keys do not open is refused."""
    assert said in load.refused(text)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("aws_secret_acces_key = x", "unknown key aws_secret_acces_key; aws_secret_access_key is"),
        ("colour = blue", "unknown key colour"),
        (f"{SECRET} = x", "unknown key"),
        (SECRET, "not of the form key = value"),
        ("= x", "not of the form key = value"),
        ("[default", "not of the form [section]"),
        ("[ses]", "the only section that counts is [default]"),
        ("[default]\n[default]", "the section is there twice"),
        (f"aws_secret_key = {SECRET}", "the same key as in line 2"),
        ("region = us\u200b-east-1", "a character that cannot be seen"),
        ("region = us east 1", "region: the name of a region such as eu-west-1 is needed"),
        ("endpoint_url = http://email.example.com", "http:// is only for this machine"),
        ("endpoint_url = ftp://127.0.0.1", "a URL such as"),
        ("endpoint_url = https://user@127.0.0.1", "a URL such as"),
        ("endpoint_url = https://[", "a URL such as"),
        ("endpoint_url = https://x:port", "a URL such as"),
        ("smtp_host = mail.example.com:587", "the port goes to smtp_port"),
        ("smtp_port = 0", "a port number is needed"),
        ("smtp_port = 70000", "a port number is needed"),
        ("smtp_tls = ssl", "one of wrapper, starttls, none is needed"),
        ("smtp_tls = none", "none is only for an smtp_host on this machine"),
        ("ca_file = ca.pem", "the absolute path of a file that can be read is needed"),
        ("ca_file = /nowhere/ca.pem", "the absolute path of a file that can be read is needed"),
        ("configuration_set = a b", "the name of a configuration set is needed"),
        ("tags = a", "name=value, name=value is needed"),
        ("tags = a=b;c=d", "name=value, name=value is needed"),
        ("tags = sesmail-id=1", "is the tag that holds the queue id"),
        ("feedback_address = nobody", "an address such as wiki@example.com is needed"),
        ("author = a@example.com, b@example.com", "one address is needed"),
        ("author = Wiki <wiki@example.com>", "an address such as wiki@example.com is needed"),
        ("author = <<", "is needed"),
        ("author = j\u00f6rg@example.com", "an address such as wiki@example.com is needed"),
        ("submitters =", "names of users, and of groups after an @, are needed"),
        ("submitters = a/b", "names of users, and of groups after an @, are needed"),
        ("max_send_rate = 0", "recipients per second, more than 0, are needed"),
        ("max_send_rate = fast", "recipients per second, more than 0, are needed"),
        ("max_send_rate = nan", "recipients per second, more than 0, are needed"),
        ("x_ses_headers = yes", "one of strip, keep is needed"),
        ("suppression = yes", "one of on, off is needed"),
        ("events_queue_url = sesmail-events", "the URL of an SQS queue is needed"),
        ("events_queue_url = https://sqs.eu-west-1.amazonaws.com/", "the URL of an SQS queue"),
        ("events_queue_url = http://sqs.eu-west-1.amazonaws.com/1/q", "the URL of an SQS queue"),
        ("events_queue_url = https://sqs.eu-west-1.amazonaws.com/1/q?x=y/", "the URL of an SQS"),
        ("credential_process = /bin/keys", "credential_process and a key pair"),
        ("credential_source = Ec2InstanceMetadata", "credential_source and a key pair"),
        ("mfa_serial = arn:x", "nobody is there to type a code"),
    ],
)
def test_refused_lines(load: Loader, line: str, said: str) -> None:
    """A line that cannot be is refused with its number, and without its value."""
    refused = load.refused(f"{PAIR}{line}\n")
    number = 4 if line.startswith("[default]") else 3
    assert refused.startswith(f"FILE, line {number}: ")
    assert said in refused


def test_the_queue_of_events(load: Loader) -> None:
    """The keys of the file open it, so they cannot be an SMTP password; suppression is on."""
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/sesmail-example-com"
    loaded = load(f"{PAIR}events_queue_url = {url}\n")
    assert (loaded.events_queue_url, loaded.suppression) == (url, "on")
    assert load(f"{PAIR}suppression = off\n").suppression == "off"
    local = "http://127.0.0.1:4566/123456789012/q"
    assert load(f"events_queue_url = {local}\n").events_queue_url == local
    said = load.refused(f"{SMTP_PAIR}events_queue_url = {url}\n")
    assert said.startswith("FILE, line 3: events_queue_url: the queue needs an IAM secret")


@pytest.mark.parametrize("name", ["profile default", "profile wiki", "sso-session x"])
def test_a_section_that_nobody_uses(load: Loader, name: str) -> None:
    """Keys in another section do not silently mean the role."""
    said = load.refused(f"[{name}]\n{PAIR}")
    assert said == f"FILE: [{name}] is not used; what counts is [default]"


def test_the_environment_is_no_source(load: Loader) -> None:
    """A role that would be assumed with the environment's keys is refused: it never counts."""
    text = "role_arn = arn:x\ncredential_source = Environment\n"
    assert load.refused(text) == "FILE, line 2: credential_source: the environment never counts"


def test_an_smtp_password_assumes_no_role(load: Loader) -> None:
    """role_arn needs an API secret."""
    said = load.refused(f"{SMTP_PAIR}role_arn = arn:x\n")
    assert said == "FILE, line 3: role_arn: an SMTP password cannot assume a role"


def test_a_file_that_everybody_can_read(load: Loader) -> None:
    """It works, and the log gets a warning."""
    load(PAIR)
    load.path.chmod(0o644)
    (warning,) = credentials.load(str(load.directory), "example.com").warnings
    assert "can be read by every user" in warning


def test_no_such_file(load: Loader) -> None:
    """A file that has gone between look-up and reading is a matter of configuration."""
    with pytest.raises(ConfigurationError, match="cannot be opened: No such file"):
        credentials.load(str(load.directory), "example.org")


def test_odd_files(load: Loader) -> None:
    """A directory or a FIFO is refused, not waited for; so is a file without end."""
    os.mkfifo(load.path)
    with pytest.raises(ConfigurationError, match="not a regular file"):
        credentials.load(str(load.directory), "example.com")
    load.path.unlink()
    assert "longer than 65536 bytes" in load.refused("#" * 70000)
    load.path.unlink()
    load.path.symlink_to("/dev/null")
    with pytest.raises(ConfigurationError, match="not a regular file"):
        credentials.load(str(load.directory), "example.com")


@pytest.mark.parametrize("identity", ["../example.com", "", ".", "..", "a/b", "a\x00b"])
def test_an_identity_is_no_path(load: Loader, identity: str) -> None:
    """An identity names a file in the directory and nothing else."""
    with pytest.raises(ConfigurationError):
        credentials.load(str(load.directory), identity)


def test_unreadable(load: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that this user may not read is 77, with the remedy."""
    load(PAIR)

    def refuse(path: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("sesmail.delivery.credentials_file.os.open", refuse)
    with pytest.raises(NotPermitted, match="its owner or group must grant it"):
        credentials_file.read(str(load.path))


def test_submitters(load: Loader) -> None:
    """Everybody may send where nobody is named; else who is, or is in a group that is."""
    everybody = load(PAIR)
    credentials.check_submitter(everybody, 65533)
    root = load(f"{PAIR}submitters = root\n")
    credentials.check_submitter(root, 0)
    credentials.check_submitter(load(f"{PAIR}submitters = nosuch, @root\n"), 0)
    with pytest.raises(NotPermitted, match=r"user 1 may not send as example\.com"):
        credentials.check_submitter(root, 1)


def test_a_user_without_a_name_is_nobody(load: Loader) -> None:
    """A uid that is not in the password file is not among the submitters."""
    with pytest.raises(NotPermitted, match="user 4294967 may not send"):
        credentials.check_submitter(load(f"{PAIR}submitters = root, @root\n"), 4294967)
