"""Every query of the dashboard and of the alert rules names a metric that exists, and the guide explains each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.deploy.conftest import DEPLOY, ROOT, read_yaml

from groundswell.bus import Journal
from groundswell.desk import Desk, checkpoints
from groundswell.desk.clock import wall_us
from groundswell.lake import Lake
from groundswell.settings import Settings
from groundswell.telemetry.metrics import REGISTRY
from groundswell.web.books import Books
from groundswell.web.metrics import HomeMetrics, everything

#: What the type of a metric adds to its name.
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
NAME = re.compile(r"\b(?:groundswell|process|python)_[a-z0-9_]+")
#: Labels that Prometheus and Grafana add.
ADDED = {"job", "instance", "le", "source", "table", "part", "channel", "state", "kind"}


@pytest.fixture
def families(settings: Settings, desk: Desk) -> Iterator[dict[str, Any]]:
    """Every metric of a home whose watch has a watermark, by its name."""
    with desk.session() as session:
        checkpoints.put(session, "watch", block=0, batch=1, generation=0, watermark_us=wall_us(), now_us=wall_us())
    lake = Lake.open(settings)
    with Journal(settings.journal_path) as journal:
        home = HomeMetrics(desk, journal, lake, Books(lake), now=wall_us)
        yield {family.name: family for family in everything(home).collect()}


def samples(families: dict[str, Any]) -> set[str]:
    return {f"{name}{suffix}" for name, family in families.items() for suffix in SUFFIXES.get(family.type, ("",))}


def dashboard_queries() -> list[str]:
    dashboard = json.loads((DEPLOY / "grafana" / "groundswell.json").read_text(encoding="utf-8"))
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def rules() -> list[dict[str, Any]]:
    groups = read_yaml(DEPLOY / "prometheus" / "groundswell.rules.yml")["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_every_query_names_metrics_that_exist(families: dict[str, Any]) -> None:
    known = samples(families)
    queries = [*dashboard_queries(), *(rule["expr"] for rule in rules() if "up{" not in rule["expr"])]
    assert len(queries) > 40
    unknown = {query: names for query in queries if (names := set(NAME.findall(query)) - known)}
    assert unknown == {}
    assert [query for query in queries if not NAME.search(query)] == []


def test_every_query_groups_by_labels_that_exist(families: dict[str, Any]) -> None:
    labels = {label for collector in REGISTRY._collector_to_names for label in getattr(collector, "_labelnames", ())}
    labels |= ADDED | {"reader", "fate"}
    queries = [*dashboard_queries(), *(rule["expr"] for rule in rules())]
    used = {
        label.strip() for query in queries for by in re.findall(r"by \(([^)]*)\)", query) for label in by.split(",")
    }
    matched = {name for query in queries for name in re.findall(r"[{,]\s*([a-z_]+)\s*(?:=~|!=|!~|=)", query)}
    assert (used | matched) - labels == set()


def test_every_rule_says_how_bad_it_is_and_what_to_do() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in {"warning", "critical"}, rule["alert"]
        assert set(rule["annotations"]) == {"summary", "description"}, rule["alert"]
    assert len({rule["alert"] for rule in rules()}) == len(rules())


def test_panels_have_places_of_their_own() -> None:
    dashboard = json.loads((DEPLOY / "grafana" / "groundswell.json").read_text(encoding="utf-8"))
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert at["x"] + at["w"] <= 24, panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells


def test_prometheus_reads_rules_that_are_there_from_the_port_of_the_server(settings: Settings) -> None:
    config = read_yaml(DEPLOY / "prometheus" / "prometheus.yml")
    assert all((DEPLOY / "prometheus" / name).is_file() for name in config["rule_files"])
    targets = config["scrape_configs"][0]["static_configs"][0]["targets"]
    assert targets == [f"127.0.0.1:{settings.port}"]


def test_the_guide_explains_every_metric_of_ours(families: dict[str, Any]) -> None:
    told = (ROOT / "docs" / "deploy" / "observability.md").read_text(encoding="utf-8")
    ours = {name for name in families if name.startswith("groundswell_")}
    total = {name: f"{name}_total" if families[name].type == "counter" else name for name in ours}
    assert sorted(name for name in ours if f"`{total[name]}`" not in told) == []
