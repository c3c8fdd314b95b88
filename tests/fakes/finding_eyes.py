"""The eyes as they are shipped, but for their network, which finds made people: ``finding_eyes.py --socket PATH``."""

import sys
from pathlib import Path

from tests.fakes.cameras import Finder

from forge_edge import eyes
from forge_edge.settings import NodeSettings
from forge_shared import logs

if __name__ == "__main__":
    logs.configure("forge-edge eyes")
    eyes.run(NodeSettings(), Path(sys.argv[sys.argv.index("--socket") + 1]), reader=lambda _: Finder())
