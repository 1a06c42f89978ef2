"""The cases of tests/corpus/sendmail: what nine sendmails did, and what sesmail must do.

    cases.jsonl       131 inputs (argv, standard input, user, environment) and each peer's results
    expected.jsonl    for each case what sesmail must do, written from the papers beside it
    own.jsonl         more inputs, for rules that no case of the runs shows, with what must be done
    differential.md   the runs, the rules drawn from them, and the choices where peers disagree
    flags.md          each flag, and what each peer does with it

A line of expected.jsonl:

    row             the rules that are followed, as "FILE: words that stand there"
    way             ses | real (sendmail, handed the call as it came) | both | refused
    exit, says      exit code; what the one line on stderr holds where it is refused
    identity, author, reverse_path, forward_paths    the envelope; null: no -f, "": the null one
    source          the reverse-path that SES gets
    local, local_reverse_path    names, and -f, that the real sendmail gets besides
    removed, changed, added      of the header section, whole fields; <date> and <id> stand for any
    body            bytes as Latin-1, line ends LF
    verbose         -v was given
    ses             what SES gets otherwise: another end (fault, exit, says), fields `removed`,
                    `reads`: fields encoded or folded, `encoded`: the body, with its `charset`
    alone           what becomes of it where there is no identity at all, if not "real"
    note            what the rule leaves open, and why it is filled so

The world is that of the runs: alice, "Alice Q. Tester", on mx1.example.net, where root is an alias
for ops@example.org. example.com has credentials; `default` serves all others.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parent / "corpus" / "sendmail"
ORIGIN = "mx1.example.net"
ALIASES = """\
postmaster: root
root: ops@example.org
team: carol@example.org, dave@example.org
"""
_PASSWD = {"alice": "alice:Alice Q. Tester", "root": "root:root", "12345": ""}
_SECTION = re.compile(rb"(?:[!-9;-~]+[ \t]*:[^\n]*(?:\n|\Z)(?:[ \t][^\n]*(?:\n|\Z))*)*")
_FIELD = re.compile(rb"[^\n]+(?:\n[ \t][^\n]*)*")
_PLACES = {
    "<date>": r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}",
    "<id>": r"<[0-9A-F]{28}@mx1\.example\.net>",
}


@dataclass(frozen=True)
class Outcome:
    """What a sendmail did: whether it said that it took the message, and whom it sent to."""

    accepted: bool
    mail_from: str | None
    rcpt_to: frozenset[str]


@dataclass(frozen=True)
class Case:
    """One input; ``expected`` is its line of expected.jsonl."""

    id: str
    name: str
    argv: list[str]
    stdin: bytes
    environ: dict[str, str]
    passwd: str
    peers: dict[str, Outcome]
    expected: dict[str, Any]

    def fields(self) -> list[bytes]:
        """The fields of the input's header section, without their last line end."""
        text = re.sub(rb"\r*\n", b"\n", self.stdin)
        text = re.sub(rb"\A>?From [^\n]*\n", b"", text)
        section = _SECTION.match(text)
        assert section is not None
        return _FIELD.findall(section[0])

    def kept(self, *more_removed: str) -> list[bytes]:
        """The fields that go on, as they go on."""
        removed = [*self.expected["removed"], *more_removed]
        changed = {_bytes(old): _bytes(new) for old, new in self.expected["changed"].items()}
        fields = self.fields()
        for field in removed:
            fields.remove(_bytes(field))
        assert changed.keys() <= set(fields)
        return [changed.get(field, field) for field in fields]


def load() -> dict[str, Case]:
    """Return all cases by their id."""
    expected = {line["id"]: line for line in _lines("expected.jsonl")}
    return {line["id"]: _case(line, expected[line["id"]]) for line in _lines("cases.jsonl")}


def load_own() -> dict[str, Case]:
    """Return the cases of own.jsonl by their id; no peer was run with them."""
    return {
        line["id"]: Case(
            id=line["id"],
            name="sendmail",
            argv=line["argv"],
            stdin=_bytes(line["stdin"]),
            environ=line.get("env", {}),
            passwd=_PASSWD["alice"],
            peers={},
            expected=line["expected"],
        )
        for line in _lines("own.jsonl")
    }


def agreed(case: Case) -> Outcome | None:
    """What Sendmail, Postfix and Exim all did, or None where they differ."""
    three = {case.peers[name] for name in ("sendmail", "postfix", "exim")}
    return three.pop() if len(three) == 1 else None


def parts(message: bytes) -> tuple[list[bytes], bytes]:
    """Cut a message with LF line ends at its first blank line; return fields and body."""
    section, _, body = message.partition(b"\n\n")
    return _FIELD.findall(section), body


def take_added(fields: list[bytes], added: list[str]) -> list[bytes]:
    """Return ``fields`` without those that had to be added; each must be there just once."""
    for template in added:
        pattern = re.escape(template)
        for place, what in _PLACES.items():
            pattern = pattern.replace(place, what)
        found = [field for field in fields if re.fullmatch(pattern.encode(), field)]
        assert len(found) == 1, (template, fields)
        fields = [field for field in fields if field not in found]
    return fields


def _case(line: dict[str, Any], expected: dict[str, Any]) -> Case:
    return Case(
        id=line["id"],
        name=line.get("argv0", "sendmail").rpartition("/")[2],
        argv=line["argv"],
        stdin=base64.b64decode(line["stdin_b64"]),
        environ=line.get("env") or {},
        passwd=_PASSWD[line.get("user") or "alice"],
        peers={
            name: Outcome(result["exit"] == 0, result["mail_from"], frozenset(result["rcpt_to"]))
            for name, result in line["results"].items()
        },
        expected=expected,
    )


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CORPUS / name).read_text("utf-8").splitlines()]


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")
