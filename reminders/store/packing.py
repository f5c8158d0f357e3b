"""Makes kept bytes small: a message against what it has in common with others, and back again.

Invariant: what comes back is what went in, or `Unpackable`; however a packed message was damaged, it takes no more
memory than the largest one there can be.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import zstandard

LARGEST = 8 * 1024 * 1024
"""Bytes of a message: a hundred times what Gmail shows of one, and room for a picture."""

_LEVEL = 1
_LEVEL_OF_PATTERNS = 9  # packed once, read often
_MOST_IDS = 1024
_MOST = 128
"""Patterns that are held ready; each takes some 150 KB."""


class Unpackable(ValueError):
    """The bytes are not what `pack` made of a message and this pattern."""


class Packer:
    """Packs and unpacks; keeps the patterns ready that it met last. Threads may share one."""

    def __init__(self) -> None:
        """Begin with none."""
        self._ready: dict[bytes, zstandard.ZstdCompressor] = {}
        self._lock = threading.Lock()

    def make_ready(self, patterns: Iterable[bytes | None]) -> None:
        """Have what is needed at hand to pack against these."""
        with self._lock:
            for pattern in patterns:
                self._compressor(pattern or b"")

    def pack(self, content: bytes, pattern: bytes | None) -> bytes:
        """Return a message packed against a pattern, or alone."""
        with self._lock:  # a compressor is nobody's but one thread's at a time
            return self._compressor(pattern or b"").compress(content)

    def _compressor(self, pattern: bytes) -> "zstandard.ZstdCompressor":
        import zstandard  # noqa: PLC0415 - a compiled library that only letters need

        if pattern not in self._ready:
            if len(self._ready) >= _MOST:
                self._ready.clear()
            shared = zstandard.ZstdCompressionDict(pattern, zstandard.DICT_TYPE_RAWCONTENT) if pattern else None
            self._ready[pattern] = zstandard.ZstdCompressor(_LEVEL, dict_data=shared, write_checksum=True)
        return self._ready[pattern]


class Shelf:
    """What one database's transactions know of its patterns: only what is committed."""

    def __init__(self) -> None:
        """Begin with none."""
        self.packer = Packer()
        self.ids: dict[bytes, int] = {}
        self.contents: dict[int, bytes] = {}

    def put(self, key: int, pattern: bytes) -> None:
        """Remember a pattern that was read."""
        if len(self.contents) >= _MOST:
            self.contents.clear()
        self.contents[key] = pattern

    def learn(self, new: Mapping[bytes, int]) -> None:
        """Remember the ids that a transaction found or gave, once it is committed."""
        if len(self.ids) + len(new) > _MOST_IDS:
            self.ids.clear()
        self.ids.update(new)


def pack_pattern(pattern: bytes) -> bytes:
    """Return a pattern as it is kept."""
    import zstandard  # noqa: PLC0415 - as above

    return zstandard.ZstdCompressor(_LEVEL_OF_PATTERNS, write_checksum=True).compress(pattern)


def unpack(packed: bytes, pattern: bytes | None) -> bytes:
    """Return what was packed; raises `Unpackable`."""
    import zstandard  # noqa: PLC0415 - as above

    shared = zstandard.ZstdCompressionDict(pattern, zstandard.DICT_TYPE_RAWCONTENT) if pattern else None
    try:
        if not 0 <= zstandard.frame_content_size(packed) <= LARGEST:
            raise Unpackable
        return zstandard.ZstdDecompressor(dict_data=shared).decompress(packed)
    except zstandard.ZstdError:
        raise Unpackable from None
