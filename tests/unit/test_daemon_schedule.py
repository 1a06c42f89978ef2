"""Turns of identities and uids, and what waits in the drop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sesmail.delivery.daemon.intake import MOST_PER_UID, MOST_TOLD, Intake
from sesmail.delivery.daemon.schedule import Schedule


def turns(schedule: Schedule, number: int, now: int = 10) -> list[tuple[str, int] | None]:
    """Return the next lanes, if everybody may send."""
    return [schedule.next(now, lambda _: True) for _ in range(number)]


def test_identities_take_turns() -> None:
    """However many uids one has, the other has every second turn."""
    schedule = Schedule()
    for uid in range(5):
        schedule.set(("a", uid), 0)
    schedule.set(("b", 0), 0)
    found = Counter(lane[0] for lane in turns(schedule, 20) if lane)
    assert found == {"a": 10, "b": 10}


def test_uids_take_turns() -> None:
    """Inside an identity nobody has a second turn before everybody had one."""
    schedule = Schedule()
    for uid in range(4):
        schedule.set(("a", uid), 0)
    assert sorted(lane[1] for lane in turns(schedule, 4) if lane) == [0, 1, 2, 3]


def test_only_what_is_due() -> None:
    """A lane that is due later has no turn; one in which nothing waits is gone."""
    schedule = Schedule()
    schedule.set(("a", 0), 20)
    schedule.set(("b", 0), 5)
    assert turns(schedule, 1) == [("b", 0)]
    schedule.set(("b", 0), None)
    assert turns(schedule, 1) == [None]
    assert schedule.due("a") == 20
    assert schedule.identities() == ["a"]


def test_only_who_may_send() -> None:
    """An identity that may not send does not lose its place among the others' turns."""
    schedule = Schedule()
    schedule.set(("a", 0), 0)
    schedule.set(("b", 0), 0)
    assert schedule.next(10, lambda identity: identity == "b") == ("b", 0)
    assert schedule.next(10, lambda _: True) == ("a", 0)


class Directory:
    """What lies in a drop."""

    def __init__(self, *entries: tuple[str, int]) -> None:
        self.entries = list(entries)
        self.scans = 0

    def scan(self) -> Iterator[tuple[str, int]]:
        """Yield it."""
        self.scans += 1
        yield from list(self.entries)


def test_told_names_come_first() -> None:
    """A name from the FIFO does not wait behind what a scan finds."""
    intake = Intake(Directory(*((f"junk{number}", 1) for number in range(50))))
    intake.start_scan()
    intake.tell(["good"])
    assert intake.take(3)[0] == "good"


def test_a_scan_is_fair_by_uid() -> None:
    """One drop of a uid is among the first, whatever another uid left before it."""
    names = [(f"many{number}", 1) for number in range(900)]
    intake = Intake(Directory(*names, ("one", 2)))
    intake.start_scan()
    assert "one" in intake.take(2)


def test_a_scan_keeps_few_names() -> None:
    """Of a uid with very many files only some are in memory; the others are found later."""
    directory = Directory(*((f"n{number}", 1) for number in range(2 * MOST_PER_UID)))
    intake = Intake(directory)
    intake.start_scan()
    seen = []
    while names := intake.take(100):
        seen += names
        taken = set(names)
        directory.entries = [entry for entry in directory.entries if entry[0] not in taken]
    assert len(set(seen)) == 2 * MOST_PER_UID
    assert directory.scans == 2
    assert intake.is_empty()


def test_too_many_names_mean_a_scan() -> None:
    """What is told beyond a limit is found in the directory."""
    directory = Directory(("late", 1))
    intake = Intake(directory)
    intake.tell([f"n{number}" for number in range(MOST_TOLD)])
    intake.tell(["late"])
    assert "late" in intake.take(MOST_TOLD + 10)


def test_what_had_no_room_is_next() -> None:
    """Names that a batch left over come back first, in their order."""
    intake = Intake(Directory())
    intake.tell(["a", "b", "c"])
    left = intake.take(2)[1:]
    intake.put_back(left)
    assert intake.take(5) == ["b", "c"]
    assert intake.is_empty()
