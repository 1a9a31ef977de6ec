"""One pool of threads for all networks: each runs on one core, and several run at once.

Two small networks' own threads wait for each other more than they compute: two runs of the detector
take 4.3 ms on two cores at once, 5.9 and more one after the other with two threads each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Begun(Generic[T]):
    """Work that another core may have begun; whoever needs it first does it."""

    def __init__(self, work: Callable[[], T], pool: ThreadPoolExecutor | None) -> None:
        """Without a pool it is done at once."""
        self._work = work
        self._future: Future[T] = Future() if pool is None else pool.submit(work)
        if pool is None:
            self._future.set_result(work())

    def done(self) -> T:
        """What came of it; where no core was free, it is done here."""
        if self._future.cancel():
            self._future = Future()
            self._future.set_result(self._work())
        return self._future.result()


class Cores:
    """As many things at once as there are threads, the caller's own among them."""

    def __init__(self, threads: int) -> None:
        """One thread does one thing after the other."""
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads - 1, "cores") if threads > 1 else None

    def begin(self, work: Callable[[], T]) -> Begun[T]:
        """On another core, if one is free before the result is asked for."""
        return Begun(work, self._pool)

    def all(self, works: Sequence[Callable[[], Any]]) -> list[Any]:
        """The results of all, in their order."""
        begun = [self.begin(work) for work in works]
        return [one.done() for one in reversed(begun)][::-1]
