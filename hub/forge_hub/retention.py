"""Forgetting what was kept long enough, everywhere, once a day."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from forge_hub.graph.ports import GraphStore
from forge_hub.graph.projection import rebuild
from forge_hub.records.compaction import compact
from forge_hub.records.database import Database
from forge_hub.records.retention import Kept, forget_received_before
from forge_hub.records.schema import Audit
from forge_shared.errors import ForgeError
from forge_shared.ids import new_id
from forge_shared.logs import get_logger

DAY_SECONDS = 86_400.0
WHO = "retention"
"""Stands for an account in the audit."""
IN_GRAPH: Sequence[Kept] = ("utterances", "forms")
"""What graph and summaries were derived from; they know nothing of cameras."""

log = get_logger()


def forget(database: Database, graph: GraphStore, kept_days: Mapping[Kept, int], now: datetime) -> dict[str, int]:
    """Forget what is older than allowed, in the records, the graph and their files.

    Projections must not run meanwhile. Blocks on the stores: call it from a thread.

    Args:
        database: The records.
        graph: Derived anew when anything of it was forgotten.
        kept_days: For how many days what is kept; what is not named is kept.
        now: The time.

    Returns:
        Events forgotten by kind.
    """
    forgotten = {
        kind: forget_received_before(database, kind, now - timedelta(days=days)) for kind, days in kept_days.items()
    }
    if any(forgotten.values()):
        with database.begin() as transaction:
            transaction.add_all(
                Audit(id=new_id(), at=now, account=WHO, action="retention.apply", object=f"{kind}:{count}")
                for kind, count in forgotten.items()
                if count
            )
        if any(forgotten.get(kind) for kind in IN_GRAPH):
            rebuild(database, graph)
        compact(database)
    return {str(kind): count for kind, count in forgotten.items()}


async def daily(forget_old: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
    """Forget at the start and then once a day, until cancelled. What fails is tried again the next day."""
    while True:
        try:
            forgotten = await forget_old()
            if any(forgotten.values()):
                log.info("retention.applied", **forgotten)
        except (ForgeError, SQLAlchemyError) as error:
            log.exception("retention.failed", reason=type(error).__name__)
        await asyncio.sleep(DAY_SECONDS)
