"""Whatever a record, a text, a time or a query says: it is read, or set aside with a reason, and nothing else."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import strategies as st

from groundswell.engines import Engine, open_engine
from groundswell.errors import ConflictError, QuerySyntaxError
from groundswell.importing import RawBlock, normalise
from groundswell.platforms import generic, registry
from groundswell.platforms.layout import Layout
from groundswell.query import parse
from groundswell.schema import POSTS, REJECT
from groundswell.settings import load_settings
from groundswell.text.tags import fold_tags, hashtags_of, mentions_of, urls_of
from groundswell.text.times import EARLIEST_US, LATEST_US, read_time, read_times
from groundswell.text.tokens import tokenise

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "layouts"
ODD: list[Any] = [
    None, True, False, 0, -1, 12.5, 1e308, 10**30, "", " ", "abc", "12", "1.2E+10", "NaN", "#N/A", "None", "2024-02-30",
    "1700000000", 1700000000, 1700000000000, "4/22/18 6:00", [], [1], ["a", None], {}, {"a": 1}, [{"id": 1}],
    "#tag @me", "x" * 3000, "İstanbul ǅ ﬁ", "\u200b", "👩‍👩‍👧 🇫🇷", "a\nb", '"', "\\", "<b>x</b>", "['a', 'b']", "https://x.co/a?b#c",
]  # fmt: skip
TEXT = st.text(max_size=40) | st.sampled_from([value for value in ODD if isinstance(value, str)])


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_engine(load_settings(home=tmp_path_factory.mktemp("fuzz"), threads=1))
    yield engine
    engine.close()


def seeds(path: Path) -> list[dict[str, Any]]:
    """The records of a fixture."""
    if path.suffix == ".csv":
        import csv

        with path.open(encoding="utf-8-sig", newline="") as file:
            return [{name: cell for name, cell in row.items() if name} for row in csv.DictReader(file)][:6]
    found = []
    for line in path.read_text().splitlines()[:6]:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        found += [record] if isinstance(record, dict) else []
    return found


def changed(record: Any, chance: random.Random, depth: int = 0) -> Any:
    """A record near `record`: keys gone, values of another kind, lists longer or empty."""
    roll = chance.random()
    if roll < 0.04 and depth:
        return copy.deepcopy(chance.choice(ODD))
    if isinstance(record, dict):
        kept = {key: changed(value, chance, depth + 1) for key, value in record.items() if chance.random() > 0.04}
        return kept | ({chance.choice(["id", "data", "x", "items", ""]): chance.choice(ODD)} if roll > 0.95 else {})
    if isinstance(record, list):
        return [changed(value, chance, depth + 1) for value in record for _ in range(chance.choice([1, 1, 1, 0, 2]))]
    if roll > 0.93:
        return str(record) if not isinstance(record, str) else chance.choice([len(record), [record], record[:3]])
    return record


def test_records_near_a_layout_are_each_accounted_for(fuzz: Any, engine: Engine, tmp_path: Path) -> None:
    known = [found for path in sorted(FIXTURES.glob("*")) if (found := seeds(path))]
    settings = load_settings(home=tmp_path, threads=1)

    def check(number: int) -> None:
        chance = random.Random(number)  # noqa: S311 - not for secrets
        layout = chance.choice(known)
        records = [json.dumps(changed(chance.choice(layout), chance)).encode() for _ in range(chance.randint(1, 12))]
        records = [record[: chance.randint(1, len(record))] if chance.random() < 0.03 else record for record in records]
        numbers = np.arange(len(records), dtype=np.int64)
        block = RawBlock(records, "fuzz", "fuzz", numbers, None, None, 1_700_000_000_000_000)
        found = normalise(block, engine, registry(), settings)
        tables = [found.posts, *found.others.values()]
        seen = {record for table in tables for record in table["record"].to_pylist()}
        seen |= set(found.rejected["origin_offset"].to_pylist()) | set(found.ignored_records)
        assert seen == set(range(len(records)))
        assert sum(found.ignored.values()) == len(found.ignored_records)
        assert all(row["reason"] for row in found.rejected.select(["reason"]).to_pylist())
        for table in tables:
            assert None not in table["key"].to_pylist()
            assert None not in table["platform"].to_pylist()

    fuzz(st.integers(0, 2**32), check)


def test_any_cells_of_any_table_layout_give_one_row_each(fuzz: Any, engine: Engine) -> None:
    layouts = [layout for layout in registry().layouts if all(kind == "string" for kind in layout.raw.values())]

    def check(example: tuple[Layout, list[list[Any]]]) -> None:
        layout, cells = example
        names = list(layout.raw)
        rows = [[(row * len(names))[at] if row else None for at in range(len(names))] for row in cells]
        columns = {name: pa.array([row[at] for row in rows], pa.string()) for at, name in enumerate(names)}
        table = pa.table(columns) if columns else pa.table({"x": pa.nulls(len(rows), pa.string())})
        out = pa.Table.from_batches(engine.map_rows(table, layout))
        assert out.num_rows == len(rows)
        assert REJECT in out.column_names

    cell = st.none() | TEXT.filter(lambda text: "\0" not in text and text.isprintable())
    fuzz(st.tuples(st.sampled_from(layouts), st.lists(st.lists(cell, max_size=5), min_size=1, max_size=6)), check)


def test_any_columns_are_guessed_or_refused(fuzz: Any) -> None:
    names = st.sampled_from(["id", "text", "Text", "created_at", "likes", "user", "", "id ", "column_1"]) | st.text(
        max_size=8
    )

    def check(columns: list[str]) -> None:
        try:
            layout = generic.table(columns)
        except ConflictError:
            assert "text" not in columns
        else:
            assert set(layout.raw) <= set(columns)

    fuzz(st.lists(names, max_size=8, unique=True), check)


def test_any_time_is_a_plausible_one_or_none(fuzz: Any) -> None:
    part = st.sampled_from(
        [*"0123456789", *"-/:.T Z+,", "2024", "Jan", "Monday", "PM", "UTC", "EDT", "+02:00", "20240102"]
    )

    def check(texts: list[str]) -> None:
        found = read_times(pa.array(texts, pa.string()), "Europe/Paris").cast(pa.int64()).to_pylist()
        assert found == [read_time(text, "Europe/Paris") for text in texts]
        assert all(value is None or EARLIEST_US <= value <= LATEST_US for value in found)

    fuzz(st.lists(st.lists(part, max_size=12).map("".join) | TEXT, min_size=1, max_size=5), check)


def test_a_time_as_programs_write_it_is_that_time(fuzz: Any) -> None:
    moments = st.datetimes(datetime(1991, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis adds the zone

    def check(moment: datetime) -> None:
        whole = moment.replace(microsecond=0)
        micros = round(whole.timestamp() * 1_000_000)
        for text in (
            whole.isoformat(),
            whole.strftime("%Y-%m-%dT%H:%M:%SZ"),
            whole.strftime("%a %b %d %H:%M:%S +0000 %Y"),
        ):
            assert read_time(text) == micros
        assert read_time(moment.isoformat()) == (micros + moment.microsecond)

    fuzz(moments, check)


def test_any_text_has_words_tags_and_links(fuzz: Any) -> None:
    def check(texts: list[str | None]) -> None:
        column = pa.array(texts, pa.string())
        for read in (tokenise, hashtags_of, mentions_of, urls_of):
            found = read(column)
            assert len(found) == len(texts)
            assert [value is None for value in found.to_pylist()] == [
                text is None for text in texts
            ] or read is not tokenise
        for tokens in tokenise(column).to_pylist():
            assert (
                tokens is None
                or tokens == ""
                or (tokens.startswith(" ") and tokens.endswith(" ") and "  " not in tokens)
            )
        tags = pa.array([None if text is None else [text, text] for text in texts], pa.list_(pa.string()))
        assert all(len(set(found)) == len(found) for found in fold_tags(tags).to_pylist() if found is not None)

    fuzz(st.lists(st.none() | TEXT, max_size=6), check)


def test_any_query_is_read_or_says_what_is_wrong(fuzz: Any) -> None:
    words = [
        "nike",
        '"',
        "(",
        ")",
        "OR",
        "AND",
        "-",
        "NOT",
        "#",
        "@",
        "likes:>",
        "10k",
        "lang:",
        "en",
        ":",
        " ",
        "  ",
        "*",
        "ﬁ",
    ]
    posts = pa.table({field.name: pa.nulls(3, field.type) for field in POSTS})

    def check(text: str) -> None:
        try:
            query = parse(text)
        except QuerySyntaxError:
            return
        assert str(parse(str(query))) == str(query)
        assert len(query.mask(posts)) == 3

    fuzz(st.lists(st.sampled_from(words) | st.text(max_size=4), max_size=12).map("".join), check)
