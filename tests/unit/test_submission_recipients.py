"""Who gets the message: operands, the header with -t, aliases, local names."""

from __future__ import annotations

from pathlib import Path

import pytest

from sesmail.message import header
from sesmail.settings import Settings
from sesmail.submission import commandline, recipients
from sesmail.submission.recipients import Recipients
from sesmail.sysexits import DataError, UsageError


def collect(
    tmp_path: Path, words: list[str], section: bytes = b"", *, aliases: str = "", local: str = ""
) -> Recipients:
    """Collect the recipients of a command line and a header section."""
    settings = Settings()
    settings.aliases = str(tmp_path / "aliases")
    settings.credentials_directory = str(tmp_path)
    settings.local_domains = tuple(local.split())
    (tmp_path / "aliases").write_text(aliases)
    command = commandline.parse("sendmail", words)
    return recipients.collect(command, header.split(section), settings)


def test_operands_are_address_lists(tmp_path: Path) -> None:
    """Names, brackets, comments, commas, semicolons and blanks are understood."""
    words = ["Bob B <bob@x.org>", "<c@x.org>", "d@x.org (D)", "e@x.org,f@x.org; g@x.org h@x.org"]
    expected = [f"{name}@x.org" for name in ("bob", "c", "d", "e", "f", "g", "h")]
    assert collect(tmp_path, words).forward_paths == expected


def test_the_header_counts_with_t_alone(tmp_path: Path) -> None:
    """Without -t the fields say nothing; with it To, Cc and Bcc add to the operands."""
    section = b"To: a@x.org\nCc: b@x.org,\n c@x.org\nBcc: d@x.org\nApparently-To: e@x.org\n"
    assert collect(tmp_path, ["z@x.org"], section).forward_paths == ["z@x.org"]
    assert collect(tmp_path, ["-t", "z@x.org"], section).forward_paths == [
        f"{name}@x.org" for name in "zabcd"
    ]


def test_resent_fields_take_the_place_of_the_others(tmp_path: Path) -> None:
    """All blocks count, and the first sender's recipients do not."""
    section = b"Resent-To: a@x.org\nResent-Bcc: b@x.org\nTo: c@x.org\nResent-Cc: d@x.org\n"
    found = collect(tmp_path, ["-t"], section).forward_paths
    assert found == ["a@x.org", "b@x.org", "d@x.org"]


def test_duplicates_go_once_in_the_first_spelling(tmp_path: Path) -> None:
    """Domains compare in any case, local parts do not."""
    words = ["a@x.org", "a@X.ORG", "A@x.org", "b@Y.org", "b@y.org"]
    assert collect(tmp_path, words).forward_paths == ["a@x.org", "A@x.org", "b@Y.org"]


@pytest.mark.parametrize(
    ("words", "section", "text"),
    [
        ([], b"To: a@x.org\n", "No recipient addresses found"),
        (["", " "], b"", "No recipient addresses found"),
        (["-t"], b"To: undisclosed-recipients:;\n", "No recipient addresses found in header"),
        (["-t"], b"", "No recipient addresses found in header"),
    ],
)
def test_nobody_is_a_usage_error(
    tmp_path: Path, words: list[str], section: bytes, text: str
) -> None:
    """64, in Postfix's words."""
    with pytest.raises(UsageError) as caught:
        collect(tmp_path, words, section)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    "bad", ["bob@", "@x.org", "bob@x..org", "<a@x.org", '"a@x.org', "j\u00f6@x.org"]
)
def test_a_bad_one_stops_all(tmp_path: Path, bad: str) -> None:
    """Half a delivery cannot be repeated: 65, and the address is named."""
    with pytest.raises(DataError) as caught:
        collect(tmp_path, [bad, "good@x.org"])
    assert bad.encode("ascii", "backslashreplace").decode()[:4] in str(caught.value)


def test_idn_domains_become_a_labels(tmp_path: Path) -> None:
    """SES takes no U-labels."""
    found = collect(tmp_path, ["bob@b\u00fccher.example"])
    assert found.forward_paths == ["bob@xn--bcher-kva.example"]


def test_local_names_stay_apart(tmp_path: Path) -> None:
    """No domain, localhost, and the names of local_domains are this host's."""
    words = ["root", "a@localhost", "b@Here.example", "c@x.org", "/tmp/f", "|prog"]
    found = collect(tmp_path, words, local="here.example")
    assert found.local == ["root", "a@localhost", "b@Here.example", "/tmp/f", "|prog"]
    assert found.forward_paths == ["c@x.org"]


def test_an_identitys_domain_is_never_local(tmp_path: Path) -> None:
    """A host called example.com must not swallow the mail of example.com."""
    (tmp_path / "here.example").write_text("")
    assert collect(tmp_path, ["b@here.example"], local="here.example").local == []
    (tmp_path / "default").write_text("")
    assert collect(tmp_path, ["b@there.example"], local="there.example").local != []


def test_aliases_come_first(tmp_path: Path) -> None:
    """What an alias leads to goes to SES; a name without one stays local."""
    found = collect(tmp_path, ["root", "bob"], aliases="root: admin@x.org, bob\npipe: |x\n")
    assert found.forward_paths == ["admin@x.org"]
    assert found.local == ["bob"]
