"""Eight bytes at a time: what compiled kernels need to scan and copy texts quickly."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

TOPS: Final = np.uint64(0x8080808080808080)


def _load8(_context: Any, data: Any, at: Any) -> Any:
    """The eight bytes at a place of an array of bytes as one number, the first as its lowest byte."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature, arguments)
        loaded = builder.load(pointer)
        loaded.align = 1
        return loaded

    return types.uint64(data, at), generate


def _store8(_context: Any, data: Any, at: Any, value: Any) -> Any:
    """Write a number as eight bytes to a place of an array of bytes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature, arguments)
        stored = builder.store(arguments[2], pointer)
        stored.align = 1
        return context.get_dummy_value()

    return types.void(data, at, types.uint64), generate


def _lowest(_context: Any, value: Any) -> Any:
    """The place of the lowest bit that is set."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), generate


def _pointer(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    place = builder.gep(array.data, [arguments[1]])
    return builder.bitcast(place, ir.IntType(64).as_pointer())


load8: Final[Any] = intrinsic(_load8)
store8: Final[Any] = intrinsic(_store8)
lowest: Final[Any] = intrinsic(_lowest)
