"""`groundswell doctor`: does the installation work, and what to do where it does not."""

from __future__ import annotations

from dataclasses import asdict

import typer

from groundswell.cli.app import Json, app, emit, messages, output


@app.command()
def doctor(*, as_json: Json = False) -> None:
    """Check the installation and every configured part; say what to do about what fails.

    Exit code 1 if a check fails; a warning is no failure.
    """
    from rich.text import Text

    from groundswell.doctor import Finding, State, examine
    from groundswell.settings import current_settings

    styles = {State.OK: "green", State.WARN: "yellow", State.FAIL: "bold red"}
    findings: list[Finding] = []
    for finding in examine(current_settings()):
        findings.append(finding)
        if as_json:
            continue
        line = Text.assemble((f"{finding.state.value:5}", styles[finding.state]), f"{finding.name:10}", finding.detail)
        output.print(line, soft_wrap=True)
        if finding.hint:
            output.print(Text(f"{'':15}→ {finding.hint}", style="dim"), soft_wrap=True)
    failed = sum(finding.state is State.FAIL for finding in findings)
    if as_json:
        emit({"ok": failed == 0, "checks": [asdict(finding) for finding in findings]})
    elif failed:
        messages.print(f"{failed} of {len(findings)} checks failed", style="red")
    if failed:
        raise typer.Exit(1)
