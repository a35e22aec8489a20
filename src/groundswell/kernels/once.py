"""Values of objects that are worked out when they are first asked for, and kept.

`functools.cached_property` has a lock that all objects of a class share (in Python 3.11), so threads that work on
different objects would wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class once(Generic[T]):
    """As `functools.cached_property`, without a lock: threads that ask one object at once may both work it out.

    >>> class Text:
    ...     @once
    ...     def words(self) -> list[str]:
    ...         print("worked out")
    ...         return ["one", "two"]
    >>> text = Text()
    >>> text.words, text.words
    worked out
    (['one', 'two'], ['one', 'two'])
    """

    def __init__(self, work_out: Callable[[Any], T]) -> None:
        self._work_out = work_out
        self._name = work_out.__name__
        self.__doc__ = work_out.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> once[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> once[T] | T:
        """The value; the next time it is found in the object itself."""
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._work_out(instance)
        return value
