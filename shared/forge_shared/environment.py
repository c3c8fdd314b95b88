"""Settings that somebody misspelt: variables with a program's prefix that name none of its settings.

A settings reader only asks for the names it knows; a variable with a wrong name would silently change nothing.
"""

import difflib
from collections.abc import Iterable


def unknown_variables(prefix: str, known: Iterable[str], environ: Iterable[str]) -> list[tuple[str, str | None]]:
    """Return the variables that start with the prefix but name no setting; upper and lower case are the same.

    Args:
        prefix: What a program's variables begin with, such as ``FORGE_HUB_``.
        known: Names of the settings without the prefix, as ``Settings.model_fields`` gives them.
        environ: Names of the variables that are set, as ``os.environ`` gives them; their values are not read.

    Returns:
        Pairs in the order of the names: the variable as it is written, and the variable of the nearest setting, or
        None when no setting looks like it.
    """
    settings = {name.upper(): f"{prefix}{name}".upper() for name in known}
    found: list[tuple[str, str | None]] = []
    for variable in sorted(environ):
        if not variable.upper().startswith(prefix.upper()):
            continue
        name = variable.upper()[len(prefix) :]
        if name not in settings:
            nearest = difflib.get_close_matches(name, settings, n=1)
            found.append((variable, settings[nearest[0]] if nearest else None))
    return found
