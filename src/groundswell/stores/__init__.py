"""Where files lie: a local folder or a bucket of an S3 store, by the few things that the lake asks of either."""

from groundswell.stores.haste import hurried, until
from groundswell.stores.places import Place, dataset, lake_root, parquet, raw_root, way
from groundswell.stores.s3 import S3Path, Store, file_system

__all__ = [
    "Place",
    "S3Path",
    "Store",
    "dataset",
    "file_system",
    "hurried",
    "lake_root",
    "parquet",
    "raw_root",
    "until",
    "way",
]
