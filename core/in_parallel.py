"""A few threads at work on a list of items, which never hold up an exit."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

LAST_WAIT = 5  # seconds for each thread at the end: they are daemons, and die with the process

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    threads: int,
    stopping: threading.Event,
) -> Iterator[Result]:
    """Results as they come; the first error of any thread is raised.

    Left early (Ctrl-C, or a disk that refuses), the threads end with what they have in hand.

    Args:
        work: what is done with each item.
        items: begun in their order.
        threads: how many at once.
        stopping: once set, nothing new is begun; set where the results are not read to their end.
    """
    waiting: queue.SimpleQueue[Item] = queue.SimpleQueue()
    done: queue.SimpleQueue[Result | BaseException] = queue.SimpleQueue()
    for item in items:
        waiting.put(item)
    count = waiting.qsize()

    def run() -> None:
        while not stopping.is_set():
            try:
                item = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put(work(item))
            except BaseException as error:  # noqa: BLE001 - raised where the results are read
                done.put(error)

    workers = [threading.Thread(target=run, daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    finished = False
    try:
        for _ in range(count):
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            yield result
        finished = True
    finally:
        if not finished:
            stopping.set()
        for worker in workers:
            worker.join(timeout=LAST_WAIT)
