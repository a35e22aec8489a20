"""`groundswell config`: every setting, its value, what decided it, and what it accepts."""

from __future__ import annotations

from dataclasses import asdict

import typer

from groundswell.cli.app import Json, app, emit, messages, output


@app.command()
def config(context: typer.Context, *, as_json: Json = False) -> None:
    """Show every setting: its value, where that comes from, and what it accepts.

    A setting is given by its environment variable, or in the file groundswell.env of the working folder; the
    variable wins. What is printed can be saved as such a file.
    """
    from rich.text import Text

    from groundswell.origins import setting_origins
    from groundswell.settings import current_settings

    settings = current_settings()
    home_option = context.parent is not None and context.parent.params.get("home") is not None
    lines = setting_origins(settings, home_option=home_option)
    if as_json:
        emit({"home": settings.home.absolute(), "settings": [asdict(line) for line in lines]})
        return
    for line in lines:
        changed = line.origin != "default"
        output.print(Text(f"# {line.meaning}; accepts {line.accepts}", style="dim"), soft_wrap=True)
        output.print(Text(f"{line.variable}={line.value}", style="bold" if changed else ""), end="", soft_wrap=True)
        output.print(Text(f"  # from {line.place}" if changed else "  # default", style="dim"), soft_wrap=True)
    messages.print(f"everything lives under {settings.home.absolute()}", style="dim", soft_wrap=True, markup=False)
