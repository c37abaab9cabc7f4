"""From an object in the store to blocks of UTF-8 text: ranged reads, decompression, encodings."""

from __future__ import annotations

import codecs
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa

from causeway.engine.model import RAW_LIMIT, Fetch, Slice, Unreadable
from causeway.flow.codes import Code

BLOCK = 16 << 20  # bytes of text in work at a time: bounds a task's memory, and suits processors' caches
SMALL = 64 << 20  # bytes that any object may unfold to
HEAD = 1 << 16
CODECS = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bz2",
    b"\xfd7zXZ\0": "xz",
    b"PK\x03\x04": "zip",
}
ARCHIVES = {b"7z\xbc\xaf": "7z", b"Rar!": "rar"}
TAR, TAR_AT = b"ustar", 257  # what a tar archive has in its first header, and where
BOM = b"\xef\xbb\xbf"
BINARY = 0.01  # share of zero bytes that no text has
MAX_RATIO = 200  # of decompression; what text compresses to is far below it, a bomb far above
LINE_LIMIT = 64 << 20  # bytes of a line that is still taken for a record


@dataclass(frozen=True)
class Lines:
    """Some whole lines of an object's text, which begin at byte `at` of it."""

    at: int
    data: bytes
    last: bool  # of the slice
    length: int = 0  # of a single line longer than LINE_LIMIT, of which data is the beginning


class RangedFile(io.RawIOBase):
    """A stored object as a file: every read is one ranged fetch."""

    def __init__(self, piece: Slice, fetch: Fetch) -> None:
        self._read, self._size, self._at = partial(fetch, piece.source, piece.version), piece.size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        stop = self._size if size < 0 else min(self._size, self._at + size)
        data = self._read(self._at, stop) if stop > self._at else b""
        self._at += len(data)
        return data


def head(piece: Slice, fetch: Fetch) -> bytes:
    """The object's first bytes, as text if it is text."""
    return fetch(piece.source, piece.version, 0, min(piece.size, HEAD))


def codec(start: bytes) -> str | None:
    """Which codec the object is compressed with, by its content, not its name."""
    for magic, archive in ARCHIVES.items():
        if start.startswith(magic):
            raise Unreadable(Code.FORMAT, f"a {archive} archive; land each file in it by itself")
    return next((name for magic, name in CODECS.items() if start.startswith(magic)), None)


def text_blocks(piece: Slice, fetch: Fetch, encoding: str) -> Iterator[tuple[int, bytes]]:
    """The slice's lines, in blocks cut anywhere, each with its place in the object's text.

    Nothing for a part of what cannot be read in parts.
    """
    start = head(piece, fetch)
    if not start:
        raise Unreadable(Code.EMPTY, "the object has no bytes")
    plain = codec(start) is None
    if plain and is_utf8(encoding):
        blocks = _lines(piece, fetch)
    elif piece.start > 0:
        return
    else:
        stream = _stored(piece, fetch) if plain else _decompressed(piece, fetch, str(codec(start)))
        blocks = _placed(stream if is_utf8(encoding) else _transcoded(stream, encoding))
    for at, block in blocks:
        if at == 0:
            start = block[:HEAD]
            if start[TAR_AT:].startswith(TAR):
                raise Unreadable(Code.FORMAT, "a tar archive; land each file in it by itself")
            if start.count(0) > len(start) * BINARY or start[:2] in (b"\xff\xfe", b"\xfe\xff"):
                raise Unreadable(Code.ENCODING, "not UTF-8 text (a binary file, or UTF-16?)")
        bom = len(BOM) if at == 0 and block.startswith(BOM) else 0
        yield at + bom, block[bom:]


def whole_lines(blocks: Iterable[tuple[int, bytes]]) -> Iterator[Lines]:
    """Cut the blocks anew, at line ends. Holds no more of a line than LINE_LIMIT and a block."""
    held: list[bytes] = []  # the beginning of a line that has not ended yet
    begins = size = 0  # where that is, and how long it is so far
    for at, block, last in _marking_the_last(blocks):
        begins = begins if size else at
        first = block.find(b"\n") + 1 or len(block) * last  # where that line ends; 0: not here
        stop = len(block) if last else block.rfind(b"\n") + 1
        length = size + (first or len(block))
        if length > LINE_LIMIT:
            held = [b"".join([*held, block[: first or None]])[:RAW_LIMIT]]
            if first or last:
                yield Lines(begins, held[0], last and stop == first, length)
            if stop > first:
                yield Lines(at + first, block[first:stop], last)
        elif stop or last:
            yield Lines(begins, b"".join([*held, memoryview(block)[:stop]]), last)
        if stop:
            held, begins, size = [block[stop:]], at + stop, len(block) - stop
        else:
            held, size = held if length > LINE_LIMIT else [*held, block], length


def without_footer(blocks: Iterable[Lines], count: int) -> Iterator[Lines]:
    """The lines but for the last ones, which are held back until it shows that they are not."""
    if not count:
        yield from blocks
        return
    held = Lines(0, b"", last=False)
    for lines in blocks:
        if lines.length:
            yield from [held, lines]
            held = Lines(lines.at + lines.length, b"", last=False)
            continue
        data = held.data + lines.data
        at, cut = lines.at - len(held.data), len(data.removesuffix(b"\n"))
        for _ in range(count):
            cut = max(data.rfind(b"\n", 0, cut), 0)
        cut += data[cut : cut + 1] == b"\n"
        yield Lines(at, data[:cut], lines.last)
        held = Lines(at + cut, data[cut:], last=False)


def _marking_the_last(blocks: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes, bool]]:
    before: tuple[int, bytes] | None = None
    for at, block in blocks:
        if before:
            yield *before, False
        before = at, block
    if before:
        yield *before, True


def _placed(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    at = 0
    for block in blocks:
        yield at, block
        at += len(block)


def is_utf8(encoding: str) -> bool:
    return encoding.lower().replace("-", "") in ("utf8", "ascii")


def _stored(piece: Slice, fetch: Fetch) -> Iterator[bytes]:
    for at in range(0, piece.size, BLOCK):
        yield fetch(piece.source, piece.version, at, min(at + BLOCK, piece.size))


def _lines(piece: Slice, fetch: Fetch) -> Iterator[tuple[int, bytes]]:
    """Fetch the lines that begin inside the slice: from its first line end on, past its stop to the next."""
    at, begun, last, past = max(piece.start - 1, 0), piece.start == 0, b"", HEAD
    while at < piece.stop or (at < piece.size and last not in (b"", b"\n")):
        inside = at < piece.stop
        stop = min(at + BLOCK, piece.stop) if inside else min(at + past, piece.size)
        block = fetch(piece.source, piece.version, at, stop)
        past = past if inside else min(2 * past, BLOCK)  # the line may be a long one
        if not block:
            raise Unreadable(Code.ACCESS, f"the object ends at byte {at:,} of {piece.size:,}")
        first, at = at, at + len(block)
        end = block.find(b"\n") + 1
        if not inside and end:
            block = block[:end]
        if not begun:
            begun, block, first = end > 0, block[end:] if end else b"", first + end
        if block:
            last = block[-1:]
            yield first, block


def _decompressed(piece: Slice, fetch: Fetch, codec: str) -> Iterator[bytes]:
    limit, size = max(SMALL, piece.size * MAX_RATIO), 0
    try:
        with _opened(RangedFile(piece, fetch), codec) as stream:
            while block := stream.read(BLOCK):
                size += len(block)
                if size > limit:
                    raise Unreadable(Code.TOO_LARGE, f"more than {limit:,} bytes come out of {piece.size:,}")
                yield block
    except (OSError, EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
        raise Unreadable(Code.COMPRESSION, f"the {codec} stream is damaged: {error}") from error


def _opened(stored: RangedFile, codec: str) -> Any:
    """The stream of what comes out."""
    if codec == "zip":
        archive = zipfile.ZipFile(stored)
        files = [member for member in archive.infolist() if not member.is_dir()]
        if len(files) != 1:
            raise Unreadable(Code.FORMAT, f"a zip archive of {len(files):,} files; land each by itself")
        return archive.open(files[0])
    source = pa.BufferedInputStream(pa.PythonFile(stored, mode="r"), 4 << 20)
    return lzma.LZMAFile(source) if codec == "xz" else pa.CompressedInputStream(source, codec)


def _transcoded(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        for block in blocks:
            yield decoder.decode(block).encode()
        yield decoder.decode(b"", final=True).encode()
    except (UnicodeError, LookupError) as error:
        raise Unreadable(Code.ENCODING, f"not {encoding}: {error}") from error
