"""The screen's pages: Jinja2 with everything escaped."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from forge_edge.screen.shown import WISHES, Shown

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"


class Pages:
    """Renders the screen.

    Args:
        wake_word: What the room is called, as it is said; empty where it is not shown.
    """

    def __init__(self, wake_word: str) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(wake_word=wake_word, wishes=WISHES)

    def screen(self, shown: Shown, moment: int) -> str:
        """Return the whole page; ``moment`` is when it was so, in milliseconds."""
        return self._environment.get_template("screen.html").render(shown=shown, moment=moment)

    def room(self, shown: Shown) -> str:
        """Return what an open page puts in place of what it shows."""
        return self._environment.get_template("room.html").render(shown=shown)

    def draw(self, target: str, token: str) -> str:
        """Return the page that leads to the eyes' drawing page at ``target``."""
        return self._environment.get_template("draw.html").render(target=target, token=token)

    def opened(self) -> str:
        """Return the page that leads from the file with the key to the screen."""
        return self._environment.get_template("opened.html").render()

    def closed(self, title: str, words: str) -> str:
        """Return a page that says why the screen is not shown."""
        return self._environment.get_template("closed.html").render(title=title, words=words)
