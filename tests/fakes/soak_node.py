"""A node as it is shipped, but for its room: ``soak_node.py SCRIPT``; settings come from the environment."""

import asyncio
import sys
from pathlib import Path

from forge_edge.app import Node
from forge_edge.settings import NodeSettings
from forge_shared import logs

EARS = Path(__file__).with_name("soak_ears.py")

if __name__ == "__main__":
    logs.configure("forge-edge run")
    asyncio.run(Node(NodeSettings(), ears_command=[sys.executable, str(EARS), sys.argv[1]]).run())
