"""Whether an answer is the one that a page shows.

In what a page shows, `…` stands for what is left out: members of an object, items of a list, lines or a part
of a text. Run ids are random: each one that a page shows stands for one that is answered, always the same.
"""

from __future__ import annotations

import json
import re
from typing import Any

_RUN_ID = re.compile(r"[0-9a-f]{32}")
_MORE = "…"


class Answers:
    """Compares the answers of one page. A difference is an AssertionError that names its place."""

    def __init__(self) -> None:
        self._run_ids: dict[str, str] = {}  # those that the page shows, and those that they stand for

    def compare(self, language: str, shown: str, answer: str) -> None:
        """The answer is what a block of this language shows: json, http or text."""
        match language:
            case "json":
                self._compare_values(_template(shown), json.loads(answer), "answer")
            case "http":
                _compare_heads(shown, answer)
            case _:
                assert re.fullmatch(_pattern(shown), answer.strip(), re.DOTALL), f"it is:\n{answer}"

    def _compare_values(self, shown: Any, answer: Any, place: str) -> None:
        match shown:
            case dict():
                assert isinstance(answer, dict), f"{place} is {answer!r}"
                expected = {self._text(key): (key, value) for key, value in shown.items() if key != _MORE}
                if _MORE not in shown:
                    assert expected.keys() == answer.keys(), f"{place} has {sorted(answer)}"
                for key, (shown_key, value) in expected.items():
                    assert key in answer, f"{place} has no {shown_key}"
                    self._compare_values(value, answer[key], f"{place}.{shown_key}")
            case list():
                assert isinstance(answer, list), f"{place} is {answer!r}"
                items = [item for item in shown if item != _MORE]
                assert len(items) == len(answer) or (_MORE in shown and len(items) < len(answer)), (
                    f"{place} has {len(answer)} items"
                )
                before = shown.index(_MORE) if _MORE in shown else len(items)
                parts = [*answer[:before], *answer[len(answer) - len(items) + before :]]
                for number, (item, part) in enumerate(zip(items, parts, strict=True)):
                    self._compare_values(item, part, f"{place}[{number}]")
            case str():
                assert isinstance(answer, str), f"{place} is {answer!r}"
                self._learn(shown, answer)
                assert re.fullmatch(_pattern(self._text(shown)), answer, re.DOTALL), f"{place} is {answer!r}"
            case _:
                assert shown == answer, f"{place} is {answer!r}"
                assert type(shown) is type(answer), f"{place} is {answer!r}"

    def _text(self, shown: str) -> str:
        """What a page shows, with the run ids that are meant."""
        return _RUN_ID.sub(lambda found: self._run_ids.get(found[0], found[0]), shown)

    def _learn(self, shown: str, answer: str) -> None:
        shown_ids, run_ids = _RUN_ID.findall(shown), _RUN_ID.findall(answer)
        if len(shown_ids) == len(run_ids):
            for shown_id, run_id in zip(shown_ids, run_ids, strict=True):
                if run_id not in self._run_ids.values():
                    self._run_ids.setdefault(shown_id, run_id)


def _template(shown: str) -> Any:
    """JSON in which `…` may stand: as a member of this name in an object, as an item of a list."""
    parts, opened, quoted = list[str](), list[str](), False
    for index, character in enumerate(shown):
        if character == '"' and shown[index - 1] != "\\":
            quoted = not quoted
        elif quoted:
            pass
        elif character in "{[":
            opened.append(character)
        elif character in "}]":
            opened.pop()
        elif character == _MORE:
            parts.append(f'"{_MORE}": null' if opened[-1] == "{" else f'"{_MORE}"')
            continue
        parts.append(character)
    return json.loads("".join(parts))


def _pattern(shown: str) -> str:
    return ".*".join(map(re.escape, shown.strip().split(_MORE)))


def _compare_heads(shown: str, answer: str) -> None:
    """Status line and headers; a line `…` stands for any number of other headers."""
    head = answer.replace("\r\n", "\n").partition("\n\n")[0].splitlines()
    lines = [line for line in shown.splitlines() if line != _MORE]
    assert lines[0] == head[0]
    for line in lines[1:]:
        assert any(re.fullmatch(_pattern(line), one) for one in head[1:]), f"no {line} in {head}"
    assert len(lines) == len(head) or _MORE in shown.splitlines()
