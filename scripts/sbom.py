"""What is installed beside this Python, as a CycloneDX document on standard output."""

from __future__ import annotations

import json
import sys
import uuid
from importlib.metadata import Distribution, distributions
from typing import Any


def component(found: Distribution) -> dict[str, Any]:
    """One package: name, version, licence and address in the way of package URLs."""
    name, version = found.metadata["Name"], found.version
    purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"
    said: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    licence = found.metadata.json.get("license_expression")
    if licence:
        said["licenses"] = [{"expression": licence}]
    elif named := str(found.metadata.json.get("license") or ""):
        said["licenses"] = [{"license": {"name": named.splitlines()[0][:200]}}]
    return said


def document() -> dict[str, Any]:
    """The bill of materials; the same packages give the same serial number."""
    every = sorted((component(one) for one in distributions()), key=lambda each: str(each["purl"]))
    (product,) = [one for one in every if one["name"] == "groundswell"]
    parts = [one for one in every if one["name"] not in {"groundswell", "pip"}]
    serial = uuid.uuid5(uuid.NAMESPACE_URL, "\n".join(str(one["purl"]) for one in every))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": {**product, "type": "application"}},
        "components": parts,
    }


if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=1)
    sys.stdout.write("\n")
