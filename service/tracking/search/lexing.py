"""Texts of a search, cut into tokens: filters, orders and lists of fields. Pure, and linear in the text."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, NamedTuple

MAX_BYTES: Final = 4096  # of a text, in UTF-8

_SHOWN = 40  # characters of what was found

# Repetitions are possessive, so that no text takes more than one look at each of its characters.
_DOUBLE = r'"(?:[^"]|"")*+"'
_BACKTICK = r"`(?:[^`]|``)*+`"
_TOKEN: Final = re.compile(
    rf"""\s*+(?:
      (?P<number>[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?(?![\w./\-]))
    | (?P<field>(?:\w++|`\w++`)\.(?:{_DOUBLE}|{_BACKTICK})|`\w++`\.\w[\w./\-]*+)
    | (?P<star>(?:\w++\.)?\*)
    | (?P<word>\w[\w./\-]*+)
    | (?P<text>'(?:[^']|'')*+')
    | (?P<double>{_DOUBLE})
    | (?P<backtick>{_BACKTICK})
    | (?P<operator>[<>=!]++)
    | (?P<open>\()
    | (?P<close>\))
    | (?P<comma>,)
    | (?P<end>\Z))""",
    re.VERBOSE,
)
_SURROGATE = re.compile("[\ud800-\udfff]")


class Kind(StrEnum):
    """What a token is. FIELD: a kind and a key, with quotes. STAR: all fields of a kind, or all."""

    NUMBER = "number"
    FIELD = "field"
    STAR = "star"
    WORD = "word"
    TEXT = "text"
    DOUBLE = "double"
    BACKTICK = "backtick"
    OPERATOR = "operator"
    OPEN = "open"
    CLOSE = "close"
    COMMA = "comma"
    END = "end"


_KINDS: Final = {kind.value: kind for kind in Kind}  # as the expression names its groups


class Token(NamedTuple):
    """A piece of a text as it is written, and at which character it starts."""

    kind: Kind
    written: str
    position: int

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these words, in any case."""
        return self.kind is Kind.WORD and self.written.upper() in words

    @property
    def shown(self) -> str:
        """The token for a message."""
        return "the end" if self.kind is Kind.END else shorten(self.written)


class FilterError(ValueError):
    """A filter, an order or a list of fields that cannot be read.

    position: of the character, from 0, where it went wrong. expected: what should stand there, and what to
    do. found: what stands there, shortened.
    """

    def __init__(self, position: int, expected: str, found: str) -> None:
        super().__init__(f"at position {position}: expected {expected}; found {found}")
        self.position = position
        self.expected = expected
        self.found = found


def shorten(text: str) -> str:
    """A caller's own text for a message, without what a terminal or a log would act on."""
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in shown
    )


def tokens_of(text: str) -> list[Token]:
    """The tokens of a text without its white space, and END; FilterError where a part of it is none."""
    _check(text)
    tokens: list[Token] = []
    position, kind = 0, None
    while kind is not Kind.END:
        match = _TOKEN.match(text, position)
        if match is None:
            raise _no_token(text, len(text) - len(text[position:].lstrip()))
        name = str(match.lastgroup)
        kind, position = _KINDS[name], match.end()
        tokens.append(Token(kind, match[name], match.start(name)))
    return tokens


def unquote(written: str) -> str:
    """What stands in quotes, of whichever sort; a quote inside is doubled."""
    quote = written[0]
    return written[1:-1].replace(quote * 2, quote)


def _check(text: str) -> None:
    if surrogate := _SURROGATE.search(text):
        raise FilterError(surrogate.start(), "characters of Unicode", "half of a surrogate pair")
    if len(text) * 4 > MAX_BYTES and (size := len(text.encode())) > MAX_BYTES:
        fits = len(text.encode()[:MAX_BYTES].decode(errors="ignore"))
        raise FilterError(fits, f"at most {MAX_BYTES} bytes", f"{size} bytes")


def _no_token(text: str, position: int) -> FilterError:
    character = text[position]
    if character in "'\"`":
        expected = f"a closing {character}, with each {character} inside written twice"
        return FilterError(position, expected, shorten(text[position:]))
    if character == ";":
        return FilterError(position, "one filter, without ;", character)
    return FilterError(position, "a field, an operator, a value, AND, OR, NOT, ( or )", shorten(character))
