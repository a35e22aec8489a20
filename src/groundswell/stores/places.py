"""Places of files, local or in a store, and how Parquet files are opened there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from groundswell.stores.s3 import S3Path, Store

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from groundswell.settings import Settings

Place = Path | S3Path
"""A file or folder: on a disk of this machine, or in an S3 store."""


def lake_root(settings: Settings) -> Place:
    """Folder of the lake's tables.

    Raises:
        UsageError: the address names no bucket.
    """
    if not settings.lake_is_remote:
        return settings.lake_path
    return Store.of(settings.s3_endpoint, settings.s3_patience).path(settings.lake)


def raw_root(settings: Settings) -> Place:
    """Folder of the raw content that is kept."""
    return lake_root(settings) / "raw"


def parquet(place: Place, metadata: pq.FileMetaData | None = None) -> pq.ParquetFile:
    """A Parquet file; of one in a store only what is read of it is fetched.

    Raises:
        OSError: it is not there or cannot be read.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - loads Arrow's reader

    if isinstance(place, Path):
        return pq.ParquetFile(place, metadata=metadata)
    return pq.ParquetFile(place.open(), metadata=metadata, pre_buffer=True)


def dataset(places: Sequence[Place], schema: pa.Schema) -> Any:
    """Parquet files as one Arrow dataset; folders such as `month=2026-11` are columns of it if `schema` has them.

    Raises:
        OSError: the files cannot be looked at.
    """
    import pyarrow as pa  # noqa: PLC0415 - loads Arrow's reader
    import pyarrow.dataset as ds  # noqa: PLC0415 - loads Arrow's reader

    first = places[0]
    folders = [part.partition("=")[0] for part in first.parts if "=" in part]
    columns = pa.schema([pa.field(name, pa.string()) for name in folders if name in schema.names])
    paths = [place.key if isinstance(place, S3Path) else str(place) for place in places]
    return ds.dataset(
        paths,
        schema=schema,
        format="parquet",
        filesystem=first.store.files if isinstance(first, S3Path) else None,
        partitioning=ds.partitioning(columns, flavor="hive") if len(columns) else None,
    )


def way(place: Place, folder: Place) -> PurePath:
    """The way to a place from a folder of the same kind.

    Raises:
        ValueError: it does not lie below.
    """
    if isinstance(place, S3Path):
        assert isinstance(folder, S3Path)  # noqa: S101 - a lake is in one place
        return place.relative_to(folder)
    assert isinstance(folder, Path)  # noqa: S101 - a lake is in one place
    return place.relative_to(folder)
