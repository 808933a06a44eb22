"""Plain values as bytes, for the talk between root and its children: a letter, a length, and what belongs to it.

Root reads nothing else that a child says, and no JSON: this reader is small enough to be seen through, is written in
Python alone, makes nothing but plain values, and no more of them than it was given bytes for.

    value     N | T | F                                 None, True, False
              i length bytes                            an integer, two's complement, at most 32 bytes
              f 8 bytes                                 a number that is finite (IEEE 754)
              s length bytes | b length bytes           text (UTF-8), bytes
              l count values | d count (text value)*    a list; a dictionary, whose keys differ
    length    four bytes, highest first; so is a count
"""

import struct
from math import isfinite
from typing import Any

LONGEST_VALUE = 16 * 1024 * 1024  # bytes of one value with all that is in it
MOST_VALUES = 100_000  # in one value
DEEPEST = 32  # lists and dictionaries around a value
_WIDEST = 32  # bytes of an integer
_LENGTH, _NUMBER = struct.Struct(">I"), struct.Struct(">d")
_SINGLE = {b"N": None, b"T": True, b"F": False}
_LETTERS = {value: letter for letter, value in _SINGLE.items()}
_TEXT = ("utf-8", "surrogatepass")  # names of files are text that may hold any byte


class BadValueError(ValueError):
    """These are no values, or more than there may be; the text is a phrase that says which."""


def encoded(value: Any) -> bytes:
    """Return *value* as bytes; ``BadValueError`` where the other end would not take it."""
    writer = _Writer()
    writer.put(value, DEEPEST)
    if len(writer.out) > LONGEST_VALUE:
        raise BadValueError(f"a value of more than {LONGEST_VALUE} bytes")
    return bytes(writer.out)


def decoded(content: bytes | memoryview) -> Any:
    """Return the value that *content* holds, and nothing but it; ``BadValueError`` where it does not."""
    if len(content) > LONGEST_VALUE:
        raise BadValueError(f"a value of more than {LONGEST_VALUE} bytes")
    reader = _Reader(memoryview(content))
    value = reader.value(DEEPEST)
    reader.end()
    return value


class _Counted:
    """Counts values, and how deep they lie."""

    def __init__(self) -> None:
        self._left = MOST_VALUES

    def _count(self, depth: int) -> None:
        self._left -= 1
        if self._left < 0 or depth < 0:
            raise BadValueError("more or deeper values than there may be")


class _Writer(_Counted):
    def __init__(self) -> None:
        super().__init__()
        self.out = bytearray()

    def put(self, value: Any, depth: int) -> None:
        self._count(depth)
        match value:
            case list() | tuple():
                self.out += b"l" + _LENGTH.pack(len(value))
                for one in value:
                    self.put(one, depth - 1)
            case dict():
                self.out += b"d" + _LENGTH.pack(len(value))
                for name, one in value.items():
                    self.out += _measured(name.encode(*_TEXT))
                    self.put(one, depth - 1)
            case _:
                self.out += _leaf(value)


def _leaf(value: Any) -> bytes:
    match value:
        case None | bool():
            return _LETTERS[value]
        case int() if value.bit_length() < 8 * _WIDEST:
            return b"i" + _measured(value.to_bytes(value.bit_length() // 8 + 1, signed=True))
        case float() if isfinite(value):
            return b"f" + _NUMBER.pack(value)
        case str():
            return b"s" + _measured(value.encode(*_TEXT))
        case bytes():
            return b"b" + _measured(value)
    raise BadValueError(f"a {type(value).__name__} that has no form here")


def _measured(content: bytes) -> bytes:
    return _LENGTH.pack(len(content)) + content


class _Reader(_Counted):
    """Takes values off the front of what came."""

    def __init__(self, content: memoryview) -> None:
        super().__init__()
        self._content = content
        self._at = 0

    def value(self, depth: int) -> Any:
        self._count(depth)
        letter = bytes(self._take(1))
        match letter:
            case b"l":
                return [self.value(depth - 1) for _ in range(self._length())]
            case b"d":
                return self._dictionary(depth - 1)
        return self._leaf(letter)

    def end(self) -> None:
        if self._at != len(self._content):
            raise BadValueError("more than one value")

    def _leaf(self, letter: bytes) -> Any:
        match letter:
            case b"i":
                return self._integer()
            case b"f":
                return self._number()
            case b"s":
                return self._text()
            case b"b":
                return bytes(self._take(self._length()))
        if letter not in _SINGLE:
            raise BadValueError(f"a value of the kind {letter!a}")
        return _SINGLE[letter]

    def _integer(self) -> int:
        length = self._length()
        if length > _WIDEST:
            raise BadValueError(f"an integer of {length} bytes")
        return int.from_bytes(self._take(length), signed=True)

    def _number(self) -> float:
        (number,) = _NUMBER.unpack(self._take(_NUMBER.size))
        if not isfinite(number):
            raise BadValueError("a number that is not finite")
        return float(number)

    def _text(self) -> str:
        try:
            return str(self._take(self._length()), *_TEXT)
        except UnicodeDecodeError as error:
            raise BadValueError("text that is not UTF-8") from error

    def _dictionary(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in range(self._length()):
            name = self._text()
            if name in found:
                raise BadValueError("a dictionary that has a key twice")
            found[name] = self.value(depth)
        return found

    def _length(self) -> int:
        return int(_LENGTH.unpack(self._take(_LENGTH.size))[0])

    def _take(self, count: int) -> memoryview:
        if count > len(self._content) - self._at:
            raise BadValueError("a value that is cut off")
        self._at += count
        return self._content[self._at - count : self._at]
