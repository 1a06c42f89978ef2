"""Pickup without policy."""

from __future__ import annotations

from sesmail.delivery.daemon.schedule import Lane
from sesmail.drop.take import DropDirectory, Incomplete, NotTaken, Taken
from sesmail.queue.store import NewEntry, NewPath, Store
from sesmail.settings import Settings


class PlainPickup:
    def __init__(self, directory: DropDirectory, store: Store, settings: Settings) -> None:
        self._directory, self._store, self._settings = directory, store, settings

    def read(self, names: list[str]) -> list[Taken | str]:
        taken: list[Taken | str] = []
        for name in names:
            try:
                taken.append(self._directory.take(name, self._settings.message_size_limit))
            except Incomplete:
                pass
            except NotTaken:
                taken.append(name)
            except FileNotFoundError:
                pass
        return taken

    def add(self, batch: list[Taken | str], now: int) -> set[Lane]:
        entries = [
            NewEntry(
                t.queue_id,
                t.envelope.identity,
                t.envelope.author,
                t.envelope.reverse_path,
                t.uid,
                t.arrived,
                t.digest,
                t.message,
                [NewPath(p, max(now, t.envelope.not_before)) for p in t.envelope.forward_paths],
            )
            for t in batch
            if isinstance(t, Taken)
        ]
        self._store.add(entries)
        return {(e.identity, e.uid) for e in entries}

    def clear(self, batch: list[Taken | str]) -> list[str]:
        for t in batch:
            self._directory.remove(t.queue_id if isinstance(t, Taken) else t)
        return []

    def reload(self, settings: Settings) -> None:
        self._settings = settings
