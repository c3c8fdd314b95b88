"""Whether a form outlives its process: real processes, killed at any point of a form, and what was left of the answers.

    python benchmarks/form_kills.py [--kills N] [--seed N]

Prints one JSON line. The baseline is a room that saves the state before a step in place of the one after it.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from tests.fakes.killed_forms import KilledForms, Tally

from forge_edge.dialogue.conversation import Conversation

BASELINE_KILLS = 20


def late(conversation: Conversation) -> Conversation:
    """Return a conversation without its last answer, as one saved a step too early has it."""
    state = conversation.interview
    if state is None:
        return conversation
    return conversation.model_copy(update={"interview": state.model_copy(update={"entries": state.entries[:-1]})})


def main() -> int:
    """Kill, and print what was left."""
    parser = argparse.ArgumentParser(description="Kill rooms at random points of forms and compare what is left.")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        (Path(folder) / "real").mkdir()
        (Path(folder) / "late").mkdir()
        tally: Tally = KilledForms(Path(folder) / "real", options.seed).run(options.kills)
        seconds = time.monotonic() - began
        late_tally = KilledForms(Path(folder) / "late", options.seed, late).run(BASELINE_KILLS)
    print(
        json.dumps(
            {
                "figure": "answers of a form over kills of its process",
                "kills": tally.kills,
                "killed_in_form": tally.killed_in_form,
                "answers_stored": tally.stored,
                "forms_completed": tally.forms,
                "lost": len(tally.lost),
                "changed": len(tally.changed),
                "seconds": round(seconds, 1),
                "baseline": {"saves": "one step late", "kills": late_tally.kills, "lost": len(late_tally.lost)},
            }
        )
    )
    return 1 if tally.lost or tally.changed else 0


if __name__ == "__main__":
    raise SystemExit(main())
