"""Finds people in a whole picture: BlazePose's detector, its anchors, and what is made of its answers.

The detector says for each of 2,254 places whether a person is there; the box it gives is that of the face, and four
points tell how the body lies. Source of every number here: the published graph of the model (Apache-2.0), and
Bazarevsky et al., BlazeFace, 2019 (arXiv 1907.05047), for the anchors and the weighted suppression.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forge_edge.vision.landmarks import sigmoid
from forge_edge.vision.ports import Picture
from forge_edge.vision.region import Region, around, person

SIDE: Final = 224
"""Width and height of the detector's input, in pixels."""
SCORE: Final = 0.5
"""Least probability of a person. Source: the published solution's default."""
FAINT_SCORE: Final = 0.35
"""The same where nobody is known and nobody is surer. Ours: the detector looks for faces, which who lies on the floor
often does not show; that a body is there must be said by the landmark network too, whose own limit stays. Between the
published 0.5 and 0.2, where first false bodies were seen beside true ones."""
OVERLAP: Final = 0.3
"""Boxes that share more than this (intersection over union) are one person."""
_STRIDES: Final = ((8, 2), (16, 2), (32, 6))  # pixels between places, and anchors at each place
_HIPS, _CIRCLE = slice(4, 6), slice(6, 8)  # of a row: the middle of the hips, a point of the body's circle

Boxes = NDArray[np.float32]
"""Shape ``(n, 12)``: the face's box (left, top, right, bottom), then four points (x, y); shares of the square input."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Somebody in a picture: where to look closer, and how sure that is, from 0 to 1."""

    region: Region
    score: float


def detector_input(picture: Picture) -> NDArray[np.float32]:
    """Return a picture as the detector wants it: shape ``(1, 224, 224, 3)``, -1 to 1, black beyond the picture."""
    height, width = picture.shape[:2]
    square = around(width, height).crop(picture, SIDE, outside=0)
    square *= 2 / 255
    square -= 1
    return square[np.newaxis]


def sightings(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], width: int, height: int, *, faint: bool = False
) -> list[Sighting]:
    """Return who was detected, the surest first.

    Args:
        boxes: The detector's answer, shape ``(1, 2254, 12)``.
        scores: The same, shape ``(1, 2254, 1)``, log-odds.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.
        faint: Whether those count who are barely seen, where nobody is seen better.
    """
    chances = sigmoid(scores.reshape(-1))
    likely = chances >= SCORE
    if faint and not likely.any():
        likely = chances >= FAINT_SCORE
    decoded = _decode(boxes.reshape(-1, boxes.shape[-1])[likely], _ANCHORS[likely])
    whole, found = around(width, height), []
    for row, score in _merge(decoded, chances[likely]):
        (hips_x, hips_y), (edge_x, edge_y) = row[_HIPS] - 0.5, row[_CIRCLE] - 0.5
        region = person(
            *(float(value) * whole.size + middle for value, middle in ((hips_x, whole.x), (hips_y, whole.y))),
            *(float(value) * whole.size + middle for value, middle in ((edge_x, whole.x), (edge_y, whole.y))),
        )
        if region is not None:
            found.append(Sighting(region, score))
    return found


def _anchors() -> NDArray[np.float32]:
    """Return the middle of each place, shape ``(2254, 2)``, x and y as shares of the input; row by row."""
    grids = []
    for stride, count in _STRIDES:
        middles = (np.arange(SIDE // stride) + 0.5) / (SIDE // stride)
        y, x = np.meshgrid(middles, middles, indexing="ij")
        grids.append(np.repeat(np.stack((x, y), axis=-1).reshape(-1, 2), count, axis=0))
    return np.concatenate(grids).astype(np.float32)


_ANCHORS: Final = _anchors()


def _decode(rows: NDArray[np.float32], anchors: NDArray[np.float32]) -> Boxes:
    """Turn distances from anchors, in pixels, into places; a row begins with the box's centre, width and height."""
    values = rows / np.float32(SIDE)
    centres, halves = values[:, :2] + anchors, values[:, 2:4] / 2
    points = values[:, 4:] + np.tile(anchors, values.shape[1] // 2 - 2)
    return np.concatenate((centres - halves, centres + halves, points), axis=1)


def _merge(boxes: Boxes, scores: NDArray[np.float32]) -> list[tuple[NDArray[np.float32], float]]:
    """Make one of all boxes of the same face: their mean, weighted by their scores; the score is the best one's."""
    order = np.argsort(-scores, kind="stable")
    boxes, scores, merged = boxes[order], scores[order], []
    while len(boxes):
        same = _overlap(boxes[0], boxes) > OVERLAP
        same[0] = True  # a box without an area overlaps nothing, not even itself
        merged.append((np.average(boxes[same], axis=0, weights=scores[same]).astype(np.float32), float(scores[0])))
        boxes, scores = boxes[~same], scores[~same]
    return merged


def _overlap(box: NDArray[np.float32], boxes: Boxes) -> NDArray[np.float32]:
    """Return the intersection over union of a box with each, from 0 to 1."""
    inner = np.minimum(box[2:4], boxes[:, 2:4]) - np.maximum(box[:2], boxes[:, :2])
    shared = np.prod(np.clip(inner, 0, None), axis=1)
    areas = np.prod(np.clip(boxes[:, 2:4] - boxes[:, :2], 0, None), axis=1)
    union = areas[0] + areas - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0), np.float32)
