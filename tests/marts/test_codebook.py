"""The codebook has every field of every table, with how often it is filled and examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from groundswell.engines import Engine
from groundswell.lake import Lake
from groundswell.marts.codebook import codebook, codebook_table, markdown
from groundswell.schema import FIELDS

MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]


def test_every_field_with_its_fill_rate_and_examples(
    engine: Engine, lake: Lake, make_posts: MakePosts, noon: datetime
) -> None:
    rows = [
        {
            "platform": "xy"[n % 2],
            "text": f"a | `text` {n}\n" + "long " * 30,
            "likes": n if n % 4 else None,
            "created_at": noon,
        }
        for n in range(40)
    ]
    lake.append("posts", make_posts(rows))
    entries = {(one.table, one.field): one for one in codebook(engine, lake)}
    assert set(entries) == {(table, field.name) for table, fields in FIELDS.items() for field in fields}
    likes = entries["posts", "likes"]
    assert (likes.rows, likes.filled, likes.unit) == (40, 0.75, "count")
    assert likes.by_platform == {"x": 0.5, "y": 1.0}
    assert 1 <= len(likes.examples) <= 3
    assert all(len(example) <= 60 for example in entries["posts", "text"].examples)
    assert entries["posts", "key"].examples == ()
    comments = entries["comments", "likes"]
    assert (comments.rows, comments.filled, comments.examples) == (0, None, ())
    text = markdown(list(entries.values()), noon)
    assert "## comments" in text
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(lines) == len(entries)
    assert all(line.replace("\\|", "").count("|") == 7 for line in lines)
    assert codebook_table(list(entries.values())).num_rows == len(entries)
