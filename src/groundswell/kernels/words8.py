"""Eight and 32 bytes at a time: what compiled kernels need to scan and copy texts quickly."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]  # it has no types
from numba import types
from numba.extending import intrinsic

_BYTES32: Final = ir.VectorType(ir.IntType(8), 32)
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


def _byte_at(_context: Any, base: Any, at: Any) -> Any:
    """The byte at a place behind an address.

    What calls others in its loops passes addresses of bytes: arrays are counted whenever they are handed on.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _loaded(context, builder, signature, arguments, ir.IntType(8))

    return types.uint8(base, at), generate


def _word_at(_context: Any, base: Any, at: Any) -> Any:
    """The eight bytes at a place behind an address as one number, the first as its lowest byte."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _loaded(context, builder, signature, arguments, ir.IntType(64))

    return types.uint64(base, at), generate


def _half_at(_context: Any, base: Any, at: Any) -> Any:
    """The four bytes at a place behind an address as one number with a sign."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _loaded(context, builder, signature, arguments, ir.IntType(32))

    return types.int32(base, at), generate


def _loaded(context: Any, builder: Any, signature: Any, arguments: Any, kind: Any) -> Any:
    base, at = (
        context.cast(builder, value, given, types.int64)
        for value, given in zip(arguments[:2], signature.args[:2], strict=True)
    )
    pointer = builder.inttoptr(builder.add(base, at), kind.as_pointer())
    loaded = builder.load(pointer)
    loaded.align = 1
    return loaded


def _signs32(_context: Any, base: Any, at: Any) -> Any:
    """Of the 32 bytes at a place those that a text of JSON stops at, and those that are no ASCII.

    The lower half has a bit for each quote, backslash or control character, the upper half for each byte from 0x80 on.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        loaded = _loaded(context, builder, signature, arguments, _BYTES32)
        stops = builder.or_(
            builder.or_(_each(builder, "==", loaded, 0x22), _each(builder, "==", loaded, 0x5C)),
            _each(builder, "<", loaded, 0x20),
        )
        wide = _each(builder, ">=", loaded, 0x80)
        low, high = (builder.zext(builder.bitcast(each, ir.IntType(32)), ir.IntType(64)) for each in (stops, wide))
        return builder.or_(low, builder.shl(high, ir.Constant(ir.IntType(64), 32)))

    return types.uint64(base, at), generate


def _each(builder: Any, operator: str, loaded: Any, byte: int) -> Any:
    """Compare each of 32 bytes with one."""
    found = builder.icmp_unsigned(operator, loaded, ir.Constant(_BYTES32, [byte] * 32))
    found.type = ir.VectorType(ir.IntType(1), 32)  # it says one bit for vectors too
    return found


def _plain32(_context: Any, base: Any, at: Any) -> Any:
    """Which of the 32 bytes at a place are ASCII letters, digits or `_`: one bit each."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        loaded = _loaded(context, builder, signature, arguments, _BYTES32)
        lower = builder.or_(loaded, ir.Constant(_BYTES32, [0x20] * 32))
        letter = builder.and_(_each(builder, ">=", lower, 0x61), _each(builder, "<=", lower, 0x7A))
        digit = builder.and_(_each(builder, ">=", loaded, 0x30), _each(builder, "<=", loaded, 0x39))
        found = builder.or_(builder.or_(letter, digit), _each(builder, "==", loaded, 0x5F))
        return builder.zext(builder.bitcast(found, ir.IntType(32)), ir.IntType(64))

    return types.uint64(base, at), generate


def _lower32(_context: Any, base: Any, at: Any, to: Any) -> Any:
    """Copy the 32 bytes at a place behind an address to another address, ASCII capitals as small letters."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        loaded = _loaded(context, builder, signature, arguments[:2], _BYTES32)
        capital = builder.and_(_each(builder, ">=", loaded, 0x41), _each(builder, "<=", loaded, 0x5A))
        bit = builder.select(capital, ir.Constant(_BYTES32, [0x20] * 32), ir.Constant(_BYTES32, [0] * 32))
        place = context.cast(builder, arguments[2], signature.args[2], types.int64)
        stored = builder.store(builder.or_(loaded, bit), builder.inttoptr(place, _BYTES32.as_pointer()))
        stored.align = 1
        return context.get_dummy_value()

    return types.void(base, at, to), generate


def _put_byte(_context: Any, base: Any, at: Any, value: Any) -> Any:
    """Write a byte to a place behind an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        first, place, byte = (
            context.cast(builder, each, given, kind)
            for each, given, kind in zip(
                arguments, signature.args, (types.int64, types.int64, types.uint8), strict=True
            )
        )
        builder.store(byte, builder.inttoptr(builder.add(first, place), ir.IntType(8).as_pointer()))
        return context.get_dummy_value()

    return types.void(base, at, value), generate


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
byte_at: Final[Any] = intrinsic(_byte_at)
half_at: Final[Any] = intrinsic(_half_at)
word_at: Final[Any] = intrinsic(_word_at)
signs32: Final[Any] = intrinsic(_signs32)
lowest: Final[Any] = intrinsic(_lowest)
plain32: Final[Any] = intrinsic(_plain32)
lower32: Final[Any] = intrinsic(_lower32)
put_byte: Final[Any] = intrinsic(_put_byte)
