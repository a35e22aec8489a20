"""The way in: raw records of files and streams become posts, rejected rows and counts, and nothing is lost."""

from groundswell.importing.blocks import Normalised, RawBlock, normalise
from groundswell.importing.choice import Options
from groundswell.importing.imports import import_paths
from groundswell.importing.stream import journal_to_lake
from groundswell.importing.summary import ImportSummary

__all__ = ["ImportSummary", "Normalised", "Options", "RawBlock", "import_paths", "journal_to_lake", "normalise"]
