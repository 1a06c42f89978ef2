"""What a drop becomes: an entry, judged by policy and by the syntax of its forward-paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sesmail.delivery import policy, recipients
from sesmail.delivery.maillog import Emit, MailLog, printable
from sesmail.delivery.outcome import Outcome, Result
from sesmail.drop.take import Taken
from sesmail.message import header
from sesmail.message.header import Field
from sesmail.queue.store import Added, NewEntry, NewPath, State
from sesmail.settings import Settings

MOST_LOGGED = 100  # forward-paths of one message that fail here
LONGEST_DELAY = 3_600_000  # milliseconds that a drop may ask to wait


@dataclass(slots=True)
class Incoming:
    """A drop as it comes in. ``refusal`` is policy's, ``dsn`` tells of what failed already."""

    name: str
    entry: NewEntry
    message_id: str
    refusal: str = ""
    warnings: list[str] = field(default_factory=list)
    is_leftover: bool = False
    dsn: NewEntry | None = None

    def failed(self) -> list[NewPath]:
        """Return the forward-paths that failed."""
        return [path for path in self.entry.paths if path.state is State.FAILED]

    def added(self, added: Added) -> None:
        """Note under which id the entry came into the queue."""
        self.entry.queue_id = added.queue_id
        self.is_leftover = added.is_leftover

    def log(self, emit: Emit, now: int) -> None:
        """Write its lines of the mail log; ``now`` in milliseconds."""
        entry, mail = self.entry, MailLog(self.entry.queue_id, emit)
        if self.is_leftover:
            mail.warning("in the queue already: the leftover of a crash is removed")
            return
        reverse_path = entry.author if entry.reverse_path is None else entry.reverse_path
        mail.picked_up(entry.uid, reverse_path)
        mail.accepted(self.message_id, entry.identity)
        if entry.queue_id != self.name:
            mail.warning(f"dropped as {self.name}, which is another message's id")
        for warning in self.warnings:
            mail.warning(warning)
        failed = self.failed()
        is_over = len(failed) == len(entry.paths)
        if is_over:  # else the attempt will say so
            mail.active(reverse_path, len(entry.message), len(entry.paths))
        self._log_failed(mail, failed, now)
        if self.dsn:
            mail.reported(self.dsn.queue_id)
        if is_over:
            mail.removed()

    def _log_failed(self, mail: MailLog, failed: Sequence[NewPath], now: int) -> None:
        if len(failed) > MOST_LOGGED:
            mail.warning(f"{len(failed)} forward-paths failed; the first {MOST_LOGGED} follow")
        delays = (max(now - self.entry.arrived, 0) / 1000, 0.0, 0.0, 0.0)
        for path in failed[:MOST_LOGGED]:
            mail.result(path.address, Result(Outcome.FAILED, path.status, path.text), delays)


def judge(taken: Taken, settings: Settings, load: policy.Load, now: int) -> Incoming:
    """Return what a drop becomes. Raises Undecided."""
    fields = policy.read_fields(taken.message)
    message_id = _message_id(fields)
    try:
        allowed = policy.check(taken, fields, settings, load)
    except policy.Refused as refused:
        entry = _refused_entry(taken, refused, now)
        return Incoming(taken.queue_id, entry, message_id, str(refused))
    entry = _entry(taken, allowed.identity, allowed.author, now)
    incoming = Incoming(taken.queue_id, entry, message_id)
    _check_forward_paths(incoming)
    return incoming


def _entry(taken: Taken, identity: str, author: str, now: int) -> NewEntry:
    envelope = taken.envelope
    due = min(max(now, envelope.not_before), now + LONGEST_DELAY)
    return NewEntry(
        taken.queue_id,
        identity,
        author,
        envelope.reverse_path,
        taken.uid,
        min(taken.arrived, now),
        taken.digest,
        taken.message,
        [NewPath(path, due) for path in dict.fromkeys(envelope.forward_paths)],
        message_digest=taken.message_digest,
    )


def _refused_entry(taken: Taken, refused: policy.Refused, now: int) -> NewEntry:
    """Return an entry that is not sent; everything in it may be a lie, so it is made harmless."""
    longest = policy.LONGEST_ADDRESS
    author = refused.author or printable(taken.envelope.author, longest)
    entry = _entry(taken, refused.identity, author, now)
    if entry.reverse_path is not None:
        entry.reverse_path = printable(entry.reverse_path, longest)
    for path in entry.paths:
        path.address = printable(path.address, longest)
        _fail(path, policy.STATUS, str(refused))
    return entry


def _check_forward_paths(incoming: Incoming) -> None:
    for path in incoming.entry.paths:
        verdict = recipients.check(path.address)
        if verdict.warning and len(incoming.warnings) < MOST_LOGGED:
            incoming.warnings.append(f"to=<{path.address}>: {verdict.warning}")
        if verdict.refused:
            path.address = printable(path.address, policy.LONGEST_ADDRESS)
            _fail(path, verdict.refused.status, verdict.refused.text)


def _fail(path: NewPath, status: str, text: str) -> None:
    path.state, path.status, path.text = State.FAILED, status, text


def _message_id(fields: Sequence[Field]) -> str:
    field = header.first(list(fields), b"message-id")
    return field.text().removeprefix("<").removesuffix(">") if field else ""
