"""Check of the channels: whether people would hear of an alert."""

from __future__ import annotations

from groundswell.channels import manage
from groundswell.desk import open_desk
from groundswell.doctor.finding import Finding, fail, ok, warn
from groundswell.settings import Settings


def channels(settings: Settings) -> Finding:
    """Channels work, their secrets are set, and no message was given up."""
    with open_desk(settings) as desk, desk.reading() as session:
        found = manage.documents(session)
    if not found:
        return ok("channels", "none; alerts are on the page and in `groundswell alerts list`")
    failing = next((each for each in found if each["state"] == "fails"), None)
    if failing is not None:
        since = str(failing["trouble_since"])[:16].replace("T", " ")
        what = f"{failing['name']} fails since {since} UTC: {failing['trouble']}"
        return fail("channels", what, f"`groundswell channels test '{failing['name']}'` tries it")
    unset = [secret["variable"] for each in found for secret in each["secrets"] if not secret["set"]]
    if unset:
        what = f"not set here: {', '.join(sorted(set(unset)))}"
        return warn("channels", what, "set them where `serve` or `watch run` is started")
    dead = sum(each["dead"] for each in found)
    if dead:
        what = f"{dead:,} messages were given up"
        return warn("channels", what, "`groundswell channels outbox --state dead` shows them")
    return ok("channels", f"{len(found):,}, {sum(each['waiting'] for each in found):,} messages wait")
