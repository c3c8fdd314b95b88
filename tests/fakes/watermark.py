"""A block of pixels that exists nowhere else, planted into pictures, and a search that finds it in any bytes."""

import base64
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from forge_edge.vision.ports import Picture

SIZE = 24
PLACE = (20, 30)
"""Row and column of its upper left pixel."""
CELL = 4
"""Pixels of one colour in each direction, so that what blurs a picture leaves it recognisable."""
BLOCK: Picture = np.kron(
    np.random.default_rng(20261121).integers(0, 256, (SIZE // CELL, SIZE // CELL, 3), dtype=np.uint8),
    np.ones((CELL, CELL, 1), np.uint8),
)
LIKENESS = 40.0
"""Root mean square difference up to which a decoded picture has the block: JPEG blurs it; noise differs by 80."""
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


def marked(picture: Picture) -> Picture:
    """Return a picture with the block in it."""
    made = picture.copy()
    row, column = PLACE
    made[row : row + SIZE, column : column + SIZE] = BLOCK
    return made


def found_in(content: bytes) -> bool:
    """Tell whether the block is in there: as pixels in any usual order, in base64 or hexadecimal, or as a picture."""
    return any(needle in content for needle in _needles()) or any(_shows_it(each) for each in _pictures(content))


def places_with_it(places: dict[str, bytes]) -> set[str]:
    """Return the names of the places that hold the block."""
    return {name for name, content in places.items() if found_in(content)}


def files_below(*folders: Path) -> dict[str, bytes]:
    """Return the content of every file below these folders."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in files}


def _needles() -> Iterator[bytes]:
    grey = cv2.cvtColor(BLOCK, cv2.COLOR_RGB2GRAY)
    for pixels in (BLOCK, BLOCK[..., ::-1], grey, BLOCK.astype(np.float32), BLOCK.astype(np.float32) / 255):
        for row in (np.ascontiguousarray(each).tobytes() for each in pixels[::CELL]):
            yield row
            yield row.hex().encode()
            for offset in range(3):  # where a row begins within three bytes is chance
                whole = row[offset : offset + (len(row) - offset) // 3 * 3]
                yield base64.b64encode(whole)
                yield base64.urlsafe_b64encode(whole)


def _pictures(content: bytes) -> Iterator[Picture]:
    for magic in _PICTURES:
        start = content.find(magic)
        while start >= 0:
            decoded = cv2.imdecode(np.frombuffer(content[start : start + 5_000_000], np.uint8), cv2.IMREAD_COLOR)
            if decoded is not None:
                yield np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)
            start = content.find(magic, start + 1)


def _shows_it(picture: Picture) -> bool:
    if picture.shape[0] < SIZE or picture.shape[1] < SIZE:
        return False
    least = min(
        cv2.matchTemplate(picture, np.ascontiguousarray(block), cv2.TM_SQDIFF).min()
        for block in (BLOCK, BLOCK[..., ::-1])
    )
    return bool(np.sqrt(least / BLOCK.size) < LIKENESS)
