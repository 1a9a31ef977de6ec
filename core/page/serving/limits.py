"""How much one address may ask for, and how many may wait: the others are told so politely."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import deque

from starlette.exceptions import HTTPException

MATCHING = ("match", "show")  # events that match a photo: of the API, and of the page
COMPUTING = (*MATCHING, "draw_card", "tell_alike")  # those that share a queue
BUSY = "many photos are waiting to be matched; try again in a few seconds"
TOO_OFTEN = "at most {most} photos a minute are matched for one address; try again in {seconds} s"
MINUTE = 60.0  # seconds
SITE = 64  # bits of an IPv6 address that one household or server has to itself


class CallLimit:
    """At most so many calls a minute for an address; an address is forgotten after its minute."""

    def __init__(self, most: int) -> None:
        """`most`: calls a minute; 0 for no limit."""
        self.most = most
        self._calls: dict[str, deque[float]] = {}  # the oldest first
        self._lock = threading.Lock()

    def seconds_to_wait(self, address: str) -> int:
        """Count a call from this address; where it is one too many, in how many seconds it is not.

        0 where it is allowed.
        """
        if not self.most:
            return 0
        now = time.monotonic()
        with self._lock:
            self._forget(now - MINUTE)
            calls = self._calls.setdefault(site_of(address), deque())
            if len(calls) >= self.most:
                return math.ceil(calls[0] + MINUTE - now)
            calls.append(now)
        return 0

    def _forget(self, limit: float) -> None:
        for site, calls in list(self._calls.items()):
            while calls and calls[0] <= limit:
                calls.popleft()
            if not calls:
                del self._calls[site]


class Admission:
    """Who may have a photo matched now."""

    def __init__(self, calls_a_minute: int, waiting: int) -> None:
        """Photos a minute for an address, 0 for no limit; how many events may wait their turn."""
        self._limit = CallLimit(calls_a_minute)
        self._waiting = waiting

    def __call__(self, event: str, address: str, waiting: int) -> None:
        """Let an event pass, or not.

        Raises:
            HTTPException: 503 where too many wait, 429 where this address asks too often.
        """
        if event in COMPUTING and waiting >= self._waiting:
            raise HTTPException(503, BUSY, {"retry-after": "5"})
        if event in MATCHING and (seconds := self._limit.seconds_to_wait(address)):
            sentence = TOO_OFTEN.format(most=self._limit.most, seconds=seconds)
            raise HTTPException(429, sentence, {"retry-after": str(seconds)})


def site_of(address: str) -> str:
    """The address, of IPv6 its network: each has more addresses than there could be counted."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:  # a socket of this machine has none
        return address
    if isinstance(known, ipaddress.IPv4Address):
        return address
    if known.ipv4_mapped:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((int(known), SITE), strict=False))
