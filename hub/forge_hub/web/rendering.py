"""Templates: Jinja2 with everything escaped, and the few filters that they use."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from forge_hub.access import SignedIn
from forge_hub.web.release_wording import lasting_words, role_words, size_words
from forge_hub.web.wording import ago, mode_words, room_name, signature_words, trouble_words
from forge_language.measured import PSEUDONYMISED
from forge_shared.clock import Clock

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
SCRIPTS = ("htmx.js", "echarts.js", "cytoscape.js")


class Pages:
    """Renders pages and fragments of one site. Threads may share it.

    Args:
        site: Name of the site.
        clock: Says how long ago things were.
        health: State of each part of the hub, so that a page can say what cannot be stored as an alert.
    """

    def __init__(self, site: str, clock: Clock, health: Callable[[], Mapping[str, str]]) -> None:
        self._clock = clock
        self.with_scripts = all((STATIC / "vendor" / name).is_file() for name in SCRIPTS)
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            room=room_name,
            moment=_moment,
            machine=_machine,
            mode=mode_words,
            signature=signature_words,
            role=role_words,
            size=size_words,
            lasting=lasting_words,
        )
        self._environment.globals.update(
            trouble_words=trouble_words,
            site=site,
            with_scripts=self.with_scripts,
            pseudonymised=PSEUDONYMISED,
            hub_is_full=lambda: "disk.full" in health().values(),
        )

    def fragment(self, template: str, **values: Any) -> str:  # noqa: ANN401 (whatever the template shows)
        """Return a rendered template; ``now`` and the filter ``ago`` share one reading of the clock."""
        now = self._clock.now()
        return self._environment.get_template(template).render(now=now, ago=lambda then: ago(then, now), **values)

    def page(self, request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401 (whatever the template shows)
        """Return a whole page for whoever is signed in."""
        who = signed_in(request)
        return HTMLResponse(
            self.fragment(
                template,
                who=who,
                path=request.url.path,
                emergencies=getattr(request.state, "emergencies", ()),
                **values,
            ),
            status_code=status,
        )


def signed_in(request: Request) -> SignedIn | None:
    """Return whoever the guard has found behind this request."""
    who: SignedIn | None = getattr(request.state, "signed_in", None)
    return who


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%-d %b %Y, %H:%M UTC")


def _machine(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
