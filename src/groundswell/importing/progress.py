"""How far an import is: what it tells whoever watches."""

from __future__ import annotations

from typing import Protocol

from groundswell.errors import GroundswellError


class CancelledError(GroundswellError):
    """The person does not want the rest of the import; the same import goes on from its last commit."""

    status = 409

    def __init__(self) -> None:
        super().__init__("the import was cancelled", hint="what was committed before stays; import again to go on")


class Progress(Protocol):
    """Is told how far an import is. Calls are frequent; showing them is throttled by the receiver.

    Whatever it raises stops the import: `CancelledError` where a person wants that.
    """

    def file(self, name: str, number: int, total: int, size: int) -> None:
        """File `number` (from 1) of `total` begins; `size` is its length in bytes."""

    def at(self, position: int, records: int) -> None:
        """Bytes of the current file that are done (0 where that cannot be known), and its records so far."""

    def say(self, message: str) -> None:
        """A sentence for the person, such as what it is waiting for."""


class Silent:
    """Shows nothing."""

    def file(self, name: str, number: int, total: int, size: int) -> None:
        """Nothing."""

    def at(self, position: int, records: int) -> None:
        """Nothing."""

    def say(self, message: str) -> None:
        """Nothing."""
