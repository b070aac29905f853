"""Session: one person at one worklist. An answer waits until that person goes on; until then it can be undone.

What is written is never taken back. A Session is a Site of local pages; what is asked, and where answers go, its Worklist
knows.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import RLock
from typing import Any

from reverie.annotation.worklist import Answer, Clip, Worklist
from reverie.core import ReverieError
from reverie.pages import Encoded, Reply, Stale, encoded


class Session:
    """`item` in every call is the number that the page shows; calls may come from several threads. While one clip is looked
    at, one thread reads the next."""

    folder = Path(__file__).resolve().parent

    def __init__(self, work: Worklist) -> None:
        self._work, self._open = work, work.open_items()
        self._lock = RLock()
        self._reader = ThreadPoolExecutor(1)
        self._ahead: Future[Clip] | None = None
        self._clip: Clip | None = None
        self._pending: Answer | None = None

    def get(self, rest: Sequence[str]) -> Reply:
        match rest:
            case ["state"]:
                return self.state()
            case ["frame", item, number] if item.isdigit() and number.isdigit():
                return self.frame(int(item), int(number))
        return None

    def post(self, rest: Sequence[str], value: Mapping[str, Any]) -> Reply:
        calls: dict[str, Callable[[int], Reply]] = {
            "choose": lambda item: self.choose(item, value),
            "undo": self.undo,
            "next": self.next,
        }
        call = calls.get("/".join(rest))
        if call is None:
            return None
        if not isinstance(value.get("item"), int):
            raise ReverieError("expected a JSON object with the number of an item")
        return call(value["item"])

    @property
    def finished(self) -> bool:
        return not self._open

    @property
    def n_left(self) -> int:
        return len(self._open)

    def state(self) -> dict[str, Any]:
        """For the page: nothing in it names a policy, a world or a file."""
        with self._lock:
            about: dict[str, Any] = {"title": self._work.title, "question": self._work.question}
            about |= {"levels": self._work.levels, "total": self._work.n_items}
            if self.finished:
                return {**about, "item": self._work.n_items, "finished": self._work.closing()}
            clip, pending = self._shown(), self._pending
            return {
                **about,
                "item": self._number,
                "instruction": clip.instruction,
                "times_s": [round(t, 3) for t in clip.times_s],
                "pending": None if pending is None else vars(pending),
            }

    def frame(self, item: int, number: int) -> Encoded:
        """One picture of the item that is shown."""
        with self._lock:
            self._check(item)
            frames = self._shown().frames
        if not 0 <= number < len(frames):
            raise ReverieError(f"frame: found {number}, expected 0..{len(frames) - 1}")
        return encoded(frames[number])

    def choose(self, item: int, value: Mapping[str, Any]) -> dict[str, Any]:
        """Keep an answer until the person goes on; a later one replaces it."""
        with self._lock:
            self._check(item)
            self._pending = Answer.from_dict(value, self._shown(), self._work.levels)
            return self.state()

    def undo(self, item: int) -> dict[str, Any]:
        with self._lock:
            self._check(item)
            self._pending = None
            return self.state()

    def next(self, item: int) -> dict[str, Any]:
        """Write the answer and go on."""
        with self._lock:
            self._check(item)
            if self._pending is None:
                raise ReverieError("nothing is chosen yet: choose first, then go on")
            try:
                self._work.write(self._open[0], self._pending, self._shown())
            except OSError as error:
                raise ReverieError(
                    f"not saved: {error.strerror}; make room or the folder writable, then go on"
                ) from None
            del self._open[0]
            self._clip = self._pending = None
            return self.state()

    @property
    def _number(self) -> int:
        return self._work.n_items - len(self._open)

    def _shown(self) -> Clip:
        if self._clip is None:
            ahead, self._ahead = self._ahead or self._read(0), None
            self._clip = ahead.result()
            self._ahead = self._read(1) if len(self._open) > 1 else None
        return self._clip

    def _read(self, place: int) -> Future[Clip]:
        return self._reader.submit(self._work.clip, self._open[place])

    def _check(self, item: int) -> None:
        if self.finished or item != self._number:
            raise Stale(f"this page shows item {item + 1}, which is not the one at hand: load it again")
