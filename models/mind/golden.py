"""Writes golden.json: what the heads of this checkout answer on a few lines.

python -m models.mind.golden     after a head was trained; look at the difference before it is committed
"""

import json
from pathlib import Path
from typing import Final

from forge_hub.mind.taggers import installed
from forge_hub.tag_commands import tags

_LINES: Final = (
    "I always mess things up. Everyone probably thinks I'm a failure.",
    "I have always loved my sister",
    "thank you so much that was really kind of you",
    "i'll never get better there's no point in trying",
    "The physio came at ten and we did the stairs.",
    "I am furious that nobody told me!",
    "I feel sad today.",
)


def main() -> None:
    """Tag the lines and store the answers."""
    cases = [tags(line, installed().infer([line])[0]) for line in _LINES]
    path = Path(__file__).parent / "golden.json"
    path.write_text(
        json.dumps({"tolerance": 0.01, "cases": cases}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
