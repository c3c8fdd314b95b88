"""A node as it is shipped, but for its ears: ``scripted_node.py SCRIPT [EYES]``; settings come from the environment.

With ``EYES``, another program of this folder, the eyes are that one.
"""

import asyncio
import sys
from pathlib import Path

from forge_edge.app import Node
from forge_edge.settings import NodeSettings
from forge_shared import logs

EARS = Path(__file__).with_name("scripted_ears.py")

if __name__ == "__main__":
    logs.configure("forge-edge run")
    eyes = [sys.executable, str(EARS.with_name(sys.argv[2]))] if len(sys.argv) > 2 else None
    ears = [sys.executable, str(EARS), sys.argv[1]]
    asyncio.run(Node(NodeSettings(), ears_command=ears, eyes_command=eyes).run())
