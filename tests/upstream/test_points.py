"""The points of a history, as servers write them."""

import json
import math
from typing import Any

import pytest

from service.upstream.lenient import WireError
from service.upstream.points import HistoryPage, Points, read_history
from tests.upstream.readers import finished

LARGEST = 1.7976931348623157e308


def metric(**fields: Any) -> dict[str, Any]:
    return {"key": "loss", "value": 0.5, "timestamp": 1_700_000_000_000, "step": 3, **fields}


def page_of(reply: object, key: str = "loss") -> HistoryPage:
    return finished(read_history(json.dumps(reply).encode(), key))


def test_points_are_read_as_mlflow_writes_them() -> None:
    """Step, time and value are numbers, and the token leads on."""
    page = page_of({"metrics": [metric(), metric(step=-4, value=2)], "next_page_token": "abc"})
    assert ([3, -4], [1_700_000_000_000] * 2, [0.5, 2.0]) == (
        page.points.steps.tolist(),
        page.points.times.tolist(),
        page.points.values.tolist(),
    )
    assert "abc" == page.token


def test_numbers_that_json_lacks() -> None:
    """NaN is a value; what MLflow's store keeps for infinity is infinite, quoted or not."""
    written = ["NaN", LARGEST, -LARGEST, "Infinity", "-Infinity", math.nan]
    values = page_of({"metrics": [metric(value=value) for value in written]}).points.values.tolist()
    assert [True, True] == [math.isnan(values[0]), math.isnan(values[5])]
    assert [math.inf, -math.inf, math.inf, -math.inf] == values[1:5]
    assert [math.inf, -math.inf] == page_of(
        {"metrics": [metric(value=LARGEST), metric(value=-LARGEST)]}
    ).points.values.tolist()


def test_other_servers_write_numbers_as_text() -> None:
    """An int64 may be quoted, and what is not set is 0; a quoted int64 keeps all its digits."""
    step = 2**62 + 1
    page = page_of(
        {"metrics": [metric(timestamp="1700000000001", step=str(step)), {"key": "loss", "timestamp": 5}]}
    )
    assert ([step, 0], [1_700_000_000_001, 5], [0.5, 0.0]) == (
        page.points.steps.tolist(),
        page.points.times.tolist(),
        page.points.values.tolist(),
    )


def test_points_of_other_keys_are_left_out() -> None:
    """MariaDB finds keys whatever their case: only those of the key count."""
    page = page_of({"metrics": [metric(key="Loss"), metric(value=1.0), metric(key="LOSS", value="NaN")]})
    assert [1.0] == page.points.values.tolist()


def test_no_points() -> None:
    """An empty object is a history without points; a page may be empty, too."""
    assert 0 == len(page_of({}).points)
    assert 0 == len(page_of({"metrics": None}).points)


@pytest.mark.parametrize(
    "reply",
    [
        {"runs": []},
        {"metrics": {}},
        {"metrics": [1]},
        {"metrics": [metric(value="high")]},
        {"metrics": [metric(step=2**63)]},
        {"metrics": [metric(timestamp="soon")]},
        [],
    ],
)
def test_what_is_no_history_is_refused(reply: object) -> None:
    """Anything else is an error, and never a history without points."""
    with pytest.raises(WireError):
        page_of(reply)


def test_a_long_page_is_read_in_steps() -> None:
    """Reading yields between steps, so that others have their turn."""
    body = json.dumps({"metrics": [metric(step=step) for step in range(2_000)]}).encode()
    assert 3 == sum(1 for _ in read_history(body, "loss"))


def test_points_that_come_again_count_once() -> None:
    """The beginning of a page that is the end of the page before is left out."""
    before = Points([(0, 1, 0.0), (1, 2, math.nan), (2, 3, 2.0)])
    page = Points([(1, 2, math.nan), (2, 3, 2.0), (3, 4, 3.0)])
    assert [3] == page.after(before).steps.tolist()
    assert [1, 2, 3] == page.after(Points([(2, 9, 2.0)])).steps.tolist()
    assert [1, 2, 3] == page.after(Points()).steps.tolist()
