"""A node whose anonymiser is bypassed: what was heard leaves as it was. It proves that the search would find it."""

import asyncio
import sys
from pathlib import Path

from forge_edge import app, stay
from forge_edge.anonymiser import Anonymiser
from forge_edge.observations import Observation, UtteranceHeard
from forge_edge.settings import NodeSettings
from forge_shared import logs
from forge_shared.events import EventData, UtteranceSaid
from forge_shared.ids import new_id
from forge_shared.logs import get_logger

EARS = Path(__file__).with_name("scripted_ears.py")


class Bypassed(Anonymiser):
    """Lets every word out, and into the log."""

    def _data_of(self, observation: Observation, event_id: str) -> EventData | None:
        if not isinstance(observation, UtteranceHeard):
            return super()._data_of(observation, event_id)
        get_logger().warning("utterance.heard", said=observation.text)
        return UtteranceSaid(
            session=self._session or new_id(),
            speaker="unknown",
            text=observation.text,
            redactions={},
            confidence=observation.confidence,
        )


if __name__ == "__main__":
    logs.configure("forge-edge run")
    vars(stay)["Anonymiser"] = Bypassed
    asyncio.run(app.Node(NodeSettings(), ears_command=[sys.executable, str(EARS), sys.argv[1]]).run())
