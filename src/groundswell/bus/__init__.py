"""The bus: durable raw records of live sources, between those who receive them and those who read them."""

from groundswell.bus.blocks import Block, Kind
from groundswell.bus.journal import Connected, Journal

__all__ = ["Block", "Connected", "Journal", "Kind"]
