"""MLflow's search grammar, read from its rules and not with its parser (sqlparse).

A filter is comparisons that are ANDed; the AND itself may be doubled or left out. Strings stand in single or
double quotes and know no escape, yet a backslash before a quote keeps the string open for as long as another
quote can close it. Known to differ: sqlparse refuses a second comparison straight after an IN list.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.fakes.wire import MlflowError

TYPE_OF_ENTITY = {
    **dict.fromkeys(("metric", "metrics"), "metric"),
    **dict.fromkeys(("parameter", "parameters", "param", "params"), "parameter"),
    **dict.fromkeys(("tag", "tags"), "tag"),
    **dict.fromkeys(("attribute", "attributes", "attr", "run"), "attribute"),
}
NUMERIC_ATTRIBUTES = ("start_time", "end_time")
ATTRIBUTES = ("run_id", "run_name", "user_id", "status", "artifact_uri", *NUMERIC_ATTRIBUTES)
ALIASES = {"created": "start_time", "Created": "start_time"}
COMPARATORS = ("LIKE", "ILIKE", "IN", "NOT LIKE", "NOT ILIKE", "NOT IN", "IS NULL", "IS NOT NULL")

TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<string>'(?:''|\\'|[^'])*' | "(?:""|\\"|[^"])*")
  | (?P<backtick>`(?:``|[^`])*`)
  | (?P<number>-?\d+(?:\.\d+)?[eE]-?\d+ | -?(?:\d+\.\d*|\.\d+)(?!\w) | -?\d+(?!\w))
  | (?P<word>[^\W\d]\w*)
  | (?P<operator>[<>=~!]+)
  | (?P<mark>[.(),])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text.upper() in words


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison: entity type, key, upper-cased comparator, and what it compares with."""

    entity: str
    key: str
    comparator: str
    value: Token | None


END = Token("end", "")


def tokens(text: str) -> list[Token]:
    """The tokens of a text; what is none (a comment, a semicolon, a lone quote) is an invalid clause."""
    found, at = [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise MlflowError(f"Invalid clause(s) in filter string: {text[at:]!r}")
        found.append(Token(match.lastgroup or "", match.group()))
        at = match.end()
    return found


class Reader:
    """Reads clauses off a list of tokens."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.at = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else END

    def take(self) -> Token:
        token = self.next
        self.at += 1
        return token

    def skip_space(self) -> None:
        while self.next.kind == "space":
            self.at += 1

    def refuse(self) -> MlflowError:
        return MlflowError(f"Invalid clause(s) in filter string: {self.text!r}")

    def clauses(self) -> Iterator[Clause]:
        self.skip_space()
        if self.next is END:
            raise MlflowError(f"Invalid filter '{self.text}'. Could not be parsed.")
        while self.next is not END:
            if self.next.is_word("AND"):
                self.take()
            else:
                yield self.comparison()
            self.skip_space()

    def comparison(self) -> Clause:
        entity, key = self.identifier()
        self.skip_space()
        comparator = self.comparator()
        self.skip_space()
        if comparator.startswith("IS "):
            return Clause(entity, key, comparator, None)
        return Clause(entity, key, comparator, self.value())

    def identifier(self) -> tuple[str, str]:
        """An entity type and a key: attribute, entity.key (with dots), entity.`key`, entity."key"."""
        if self.next.kind not in ("word", "backtick"):
            raise self.refuse()
        text = self.take().text
        while self.next.text == ".":
            self.take()
            if self.next.kind not in ("word", "backtick", "string"):
                raise self.refuse()
            text += f".{self.take().text}"
        entity, dot, key = text.partition(".")
        entity, key = (entity, key) if dot else ("attribute", entity)
        if (kind := TYPE_OF_ENTITY.get(entity.strip("`"))) is None:
            raise MlflowError(
                f"Invalid entity type '{entity}'. Valid values are {sorted(set(TYPE_OF_ENTITY))}"
            )
        if len(key) > 1 and key[0] == key[-1] and key[0] in "'\"`":
            key = key[1:-1]
        key = ALIASES.get(key, key) if kind == "attribute" else key
        if kind == "attribute" and key not in ATTRIBUTES:
            raise MlflowError(f"Invalid attribute key '{key}' specified. Valid keys are '{set(ATTRIBUTES)}'")
        return kind, key

    def comparator(self) -> str:
        words = [self.take()]
        if words[0].kind == "operator":
            return words[0].text
        while words[-1].is_word("NOT", "IS"):
            self.skip_space()
            words.append(self.take())
        comparator = " ".join(word.text.upper() for word in words)
        if comparator not in COMPARATORS:
            raise self.refuse()
        return comparator

    def value(self) -> Token:
        if self.next.text != "(":
            if self.next.kind in ("end", "operator", "mark"):
                raise self.refuse()
            return self.take()
        text = ""
        while self.next is not END:
            token = self.take()
            text += token.text
            if token.text == ")":
                return Token("list", text)
        raise self.refuse()


def clauses(text: str) -> list[Clause]:
    return list(Reader(text).clauses()) if text else []


def ordering(text: str) -> tuple[str, str, bool]:
    """An order_by clause as entity, key and whether it descends."""
    reader = Reader(text)
    entity, key = reader.identifier()
    if reader.next is END:
        return entity, key, False
    reader.skip_space()
    direction = reader.take()
    if direction.kind != "word" or reader.next is not END:
        raise MlflowError(f"Invalid order_by clause '{text}'. Could not be parsed.")
    if not direction.is_word("ASC", "DESC"):
        raise MlflowError(f"Invalid ordering key in order_by clause '{text}'.")
    return entity, key, direction.is_word("DESC")
