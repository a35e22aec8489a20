"""The layouts that are installed, and the mappings that people saved as layouts of their own.

They are loaded when a request first asks for them: a server should not start later for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from groundswell.platforms import Registry
    from groundswell.settings import Settings


def known_layouts(settings: Settings) -> Registry:
    """Every layout, the saved ones first; the first call takes a second."""
    from groundswell.platforms.saved import registry_for  # noqa: PLC0415 - loads Ibis and every platform

    return registry_for(settings)


def keep_mapping(settings: Settings, name: str, mapping: dict[str, str], platform: str | None, tz: str | None) -> str:
    """Save a mapping under a name; the id of the layout that it is from now on.

    A field with an empty column is one that shall not be guessed.

    Raises:
        UsageError: the name is none, or no column is named.
        UnknownChoiceError: a field does not exist.
        ConflictError: there is one of that name.
    """
    from groundswell.platforms.saved import SavedMapping, save  # noqa: PLC0415 - as above

    columns = {field: column for field, column in mapping.items() if column}
    hidden = tuple(field for field, column in mapping.items() if not column)
    saved = SavedMapping(name, columns, tuple(columns.values()), platform, tz, hidden)
    save(settings, saved)
    return saved.layout_id
