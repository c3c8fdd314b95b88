"""The command line's view of the taggers: ``forge-hub mind tag --json``, one JSON object for each line of text."""

import argparse
import json
import sys
from collections.abc import Sequence
from queue import Queue
from threading import Thread
from typing import Any, Final, Protocol, TextIO

from forge_hub.errors import HubConfigError
from forge_hub.mind.inference import Inference
from forge_hub.mind.taggers import Taggers, installed
from forge_hub.settings import HubSettings

_AT_ONCE: Final = 64
"""Lines that are tagged together: enough for the encoder's speed, few enough to be answered soon."""


class _Commands(Protocol):
    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser:  # noqa: A002 (argparse's word)
        """Add a command."""


def add_tagging(commands: _Commands) -> None:
    """Add the command to the group ``mind``."""
    tag = commands.add_parser("tag", help="Tag lines of text: valence, arousal, emotions, distortions.")
    tag.add_argument("--json", action="store_true", help="one JSON object for each line that is read")
    tag.set_defaults(run=_tag)


def _tag(_: HubSettings, options: argparse.Namespace) -> None:
    if not options.json:
        raise HubConfigError("the only form of the answer is JSON: give --json")
    sys.stdin.reconfigure(encoding="utf-8", errors="replace", newline="\n")  # type: ignore[union-attr]  # a real file
    answer(sys.stdin, sys.stdout, installed())


def answer(lines: TextIO, out: TextIO, taggers: Taggers) -> None:
    """Write one JSON object for each line that is read, in their order.

    What has arrived is answered together, at most 64 lines: whoever writes one line and waits gets its answer.
    """
    arrived: Queue[str | None] = Queue(maxsize=_AT_ONCE)
    Thread(target=_read, args=(lines, arrived), name="lines", daemon=True).start()
    while batch := _next_batch(arrived):
        texts = [line.rstrip("\r\n") for line in batch]
        found = taggers.infer(texts)
        out.writelines(json.dumps(tags(*each)) + "\n" for each in zip(texts, found, strict=True))
        out.flush()


def _read(lines: TextIO, arrived: "Queue[str | None]") -> None:
    try:
        while line := lines.readline():
            arrived.put(line)
    finally:
        arrived.put(None)


def _next_batch(arrived: "Queue[str | None]") -> list[str]:
    """Return the next line when it comes, and what came with it; nothing at the end."""
    batch: list[str] = []
    while (line := arrived.get()) is not None:
        batch.append(line)
        if len(batch) == _AT_ONCE or arrived.empty():
            return batch
    if batch:
        arrived.put(None)
    return batch


def tags(text: str, found: Sequence[Inference]) -> dict[str, Any]:
    """Return what is said of one text in the form of the command's answer."""
    affect = next((one for one in found if one.framework == "affect"), None)
    distortions: dict[str, Inference] = {}
    for one in found:
        if one.framework == "distortion":
            distortions.setdefault(one.label, one)
    return {
        "text": text,
        "valence": affect.valence if affect else 0.0,
        "arousal": affect.arousal if affect else 0.0,
        "emotions": [{"label": one.label, "confidence": one.confidence} for one in found if one.framework == "emotion"],
        "distortions": [
            {"label": one.label, "span": [one.start, one.end], "confidence": one.confidence}
            for one in distortions.values()
        ],
    }
