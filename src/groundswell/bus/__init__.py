"""The bus: durable raw records of live sources, between those who receive them and those who read them."""

from groundswell.bus.blocks import Block, Kind
from groundswell.bus.contract import Arrivals, Bus, Connected
from groundswell.bus.journal import Journal
from groundswell.bus.opening import connections_of, open_bus

__all__ = ["Arrivals", "Block", "Bus", "Connected", "Journal", "Kind", "connections_of", "open_bus"]
