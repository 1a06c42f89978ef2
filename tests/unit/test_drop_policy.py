"""Whose mail a drop is: what the message says counts, and nothing that stands around it.

Anybody can write a drop, so every claim in it may be a lie: here each lie is told once, and any
header section at all is judged as the author whom its readers will see.
"""

from __future__ import annotations

import re
from email.parser import BytesParser
from email.policy import default as default_policy
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from sesmail import identity
from sesmail.delivery import credentials, policy
from sesmail.delivery.credentials import Credentials
from sesmail.delivery.policy import Allowed, Refused, Undecided
from sesmail.delivery.repair import Options, repair
from sesmail.drop.take import Taken
from sesmail.envelope import Envelope
from sesmail.settings import Settings
from sesmail.sysexits import DataError

UID = 33
ID = "0" * 28
PAIR = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = " + "x" * 40 + "\n"
AUTHOR = "wiki@example.com"
FROM = f"From: {AUTHOR}\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with credentials for example.com, a domain below it, and example.net."""
    made = Settings()
    made.credentials_directory = str(tmp_path)
    for name in ("example.com", "shop.example.com", "example.net"):
        write(made, name)
    return made


def write(settings: Settings, name: str, *lines: str) -> None:
    """Write a credentials file."""
    path = Path(settings.credentials_directory, name)
    path.write_text(PAIR + "".join(f"{line}\n" for line in lines))
    path.chmod(0o640)


def judged(
    settings: Settings,
    section: str = FROM,
    claim: str = "example.com",
    author: str = AUTHOR,
    reverse_path: str | None = None,
    forward_paths: tuple[str, ...] = ("bob@example.org",),
) -> Allowed:
    """Return what policy makes of a drop."""

    def load(name: str) -> Credentials:
        return credentials.load(settings.credentials_directory, name)

    message = section.encode() + b"\nhello\n"
    envelope = Envelope(ID, claim, author, reverse_path, list(forward_paths))
    taken = Taken(ID, UID, 0, b"", envelope, message, b"")
    return policy.check(taken, policy.read_fields(message), settings, load)


def test_as_it_says(settings: Settings) -> None:
    """The identity that the author leads to."""
    assert judged(settings) == Allowed("example.com", AUTHOR)


def test_the_author_is_the_message_s(settings: Settings) -> None:
    """An author in the envelope who is another one, is nobody."""
    assert judged(settings, author="ceo@example.net") == Allowed("example.com", AUTHOR)
    with pytest.raises(Refused, match=r"claims .* example\.com, but .*<ceo@example\.net> leads to"):
        judged(settings, "From: ceo@example.net\n")


@pytest.mark.parametrize("claim", ["example.net", "shop.example.com", "", "../example.com", "none"])
def test_the_claim_of_another_identity(settings: Settings, claim: str) -> None:
    """Whoever may use one identity may not send another's mail through it."""
    with pytest.raises(Refused) as caught:
        judged(settings, claim=claim)
    assert caught.value.identity == "example.com"


def test_a_file_that_came_since(settings: Settings) -> None:
    """A claim that could have served the author passes; what there is now counts."""
    wanted = Allowed("shop.example.com", "a@shop.example.com")
    assert judged(settings, "From: a@shop.example.com\n", claim="example.com") == wanted


def test_submitters_of_the_file_that_serves(settings: Settings) -> None:
    """Those of the claim are not asked."""
    write(settings, "shop.example.com", "submitters = root")
    with pytest.raises(Refused, match="may not send as shop"):
        judged(settings, "From: a@shop.example.com\n", claim="example.com")


def test_a_file_that_is_gone(settings: Settings) -> None:
    """Mail of an identity is never sent by the host's other way, nor by another's credentials."""
    Path(settings.credentials_directory, "example.com").unlink()
    with pytest.raises(Refused, match="is gone") as caught:
        judged(settings)
    assert caught.value.identity == "example.com"


def test_a_directory_out_of_reach(settings: Settings) -> None:
    """Nobody is refused because a volume is not there yet: the mail waits."""
    settings.credentials_directory += "/none"
    with pytest.raises(Undecided):
        judged(settings)


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        ("", "no From"),
        ("To: x@example.com\n", "no From"),
        ("From:\n", "no From"),
        (FROM + "From: ceo@example.net\n", "several From"),
        ("From: ceo@example.net\n" + FROM, "several From"),
        (FROM + "from : ceo@example.net\n", "several From"),
        (FROM + FROM, "several From"),
        ("From: wiki\n", "no address with a domain"),
        ("From: undisclosed:;\n", "no address with a domain"),
        ("From: <wiki@example.com\n", "malformed From"),
        ("From: wiki@example.com@example.net\n", "malformed From"),
        ("From: wiki@example.com ceo\n", "malformed From"),
        ("From: wi\x7fki@example.com\n", "From"),
        ("From: \u0456van@example.com\n", "not printable ASCII"),
        (f"From: {'a' * 400}@example.com\n", "not printable ASCII"),
    ],
)
def test_an_author_nobody_can_name(settings: Settings, section: str, reason: str) -> None:
    """Where two readers could see two authors, or none, nobody is sent as."""
    with pytest.raises(Refused, match=reason):
        judged(settings, section)


@pytest.mark.parametrize(
    "path",
    [
        "a@example.com b@example.net",
        "a@example.com,b@example.net",
        "<a@example.com>",
        "a@example.com> SIZE=1",
        "a\n@example.com",
        "a\r\nRCPT TO:<b@example.net>",
        "\u00e4@example.com",
    ],
)
def test_a_reverse_path_that_is_more_than_one(settings: Settings, path: str) -> None:
    """It becomes part of an SMTP command, and a source."""
    with pytest.raises(Refused, match="reverse-path"):
        judged(settings, reverse_path=path)


def test_no_forward_path(settings: Settings) -> None:
    """There is nothing to be sent."""
    with pytest.raises(Refused, match="no forward-path"):
        judged(settings, forward_paths=())


def test_the_reason_is_one_harmless_line(settings: Settings) -> None:
    """It goes into the log, whatever the drop says."""
    with pytest.raises(Refused) as caught:
        judged(settings, claim="x\x1b[31m\n: status=sent" * 100)
    text = str(caught.value)
    assert text.isascii()
    assert text.isprintable()
    assert len(text) <= 500


# --- any header section ---

_LINE = some.sampled_from(
    [
        "From: wiki@example.com",
        "From: Wiki <wiki@example.com>, ceo@example.net",
        'From: "ceo@example.net" <wiki@example.com>',
        "From: ceo@example.net (wiki@example.com)",
        "From: (a \\) (b) c) wiki@example.com",
        "From: <@example.net,@b:wiki@example.com>",
        "From: =?utf-8?q?ceo=40example=2Enet?= <wiki@example.com>",
        "From: =?utf-8?q?ceo=40example=2Enet?=",
        "FROM : wiki@example.com",
        "from\t: ceo@example.net",
        "From:",
        " ceo@example.net",
        "\tFrom: ceo@example.net",
        " <wiki@example.com>",
        "From ceo@example.net Tue Nov 24 03:00:00 2026",
        ">From: ceo@example.net",
        "Sender: ceo@example.net",
        "Resent-From: ceo@example.net",
        "Reply-To: ceo@example.net",
        "Subject: hello",
        "no field",
        ":",
        "",
        " ",
    ]
)
_END = some.sampled_from(["\n", "\n", "\n", "\r\n", "\r\r\n", "\r", "\x0b", "\x0c", "\x85", "\0\n"])
_SECTION = some.lists(some.tuples(_LINE, _END), max_size=6).map(
    lambda lines: "".join(line + end for line, end in lines)
)


def _serves(address: str) -> str | None:
    files = ("example.com", "example.net")
    return next((name for name in identity.candidates(address) if name in files), None)


@given(_SECTION)
@example("From: ceo@example.net <wiki@example.com>\n")
@example("From: ceo@example.net\n <wiki@example.com>\n")
@example("From: wiki@example.com\rno field\n")
@example("From: ceo@example.net;\r <wiki@example.com>\n")
def test_its_readers_see_the_author_who_was_judged(section: str) -> None:
    """Of what SES gets, Python's own parser finds one From, and the same first address in it."""
    message = section.encode() + b"\nhello\n"
    try:
        author = policy.read_author(policy.read_fields(message))
        envelope = Envelope(ID, "example.com", author, None, ["bob@example.org"])
        sent = repair(message, envelope, Options(_serves))
    except (Refused, DataError):
        return
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", sent.partition(b"\r\n\r\n")[0])
    fields = BytesParser(policy=default_policy).parsebytes(sent).get_all("From")
    assert fields is not None
    (field,) = fields
    assert field.addresses[0].addr_spec == author


def test_the_readers_are_not_all_refused() -> None:
    """So that the test above says something."""
    section = 'Subject: x\r\nfrom : "ceo@example.net"\n\t<wiki@example.com> (x)\n'
    message = section.encode() + b"\nhello\n"
    assert policy.read_author(policy.read_fields(message)) == AUTHOR
