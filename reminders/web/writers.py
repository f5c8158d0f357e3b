"""Lets a few answers at a time to the database's one writer, so that who only looks keeps threads and connections.

Invariant: nobody waits here longer than the patience; who was not let in has stored nothing and is told to come again.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from litestar.concurrency import sync_to_thread

from reminders.errors import CannotDo

Kept = TypeVar("Kept")


class TooManyWriters(CannotDo):
    """Others are being answered and nothing was changed: try again in a moment."""


class Writers:
    """So many places for those who write, and how many seconds one waits for a place."""

    def __init__(self, places: int, patience_s: float) -> None:
        """Take the bounds; the places are free."""
        self._free = asyncio.Semaphore(places)
        self._patience_s = patience_s

    async def run(self, act: Callable[[str], Kept], token: str) -> Kept:
        """Do in a thread what writes, for a token; raises `TooManyWriters`."""
        try:
            async with asyncio.timeout(self._patience_s):
                await self._free.acquire()
        except TimeoutError:
            raise TooManyWriters from None
        try:
            return await sync_to_thread(act, token)
        finally:
            self._free.release()
