"""The graph's part of the hub's error tree.

HubError
└── GraphError                  graph.failed
    ├── GraphRefusedError       graph.refused
    └── GraphUnavailableError   graph.unavailable
"""

from forge_hub.errors import HubError


class GraphError(HubError):
    """The graph could not do what was asked of it."""

    code = "graph.failed"


class GraphRefusedError(GraphError):
    """A label, property or value outside the schema, or an edge between nodes that do not exist."""

    code = "graph.refused"


class GraphUnavailableError(GraphError):
    """The store cannot be reached, is held by another process, is busy or is closed. Trying again may help."""

    code = "graph.unavailable"
