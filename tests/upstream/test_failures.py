"""What each failure says about MLflow's health, and how the metrics count it."""

import pytest

from service import errors
from service.upstream.breaker import Signal
from service.upstream.failures import (
    Forbidden,
    Invalid,
    Missing,
    NoEndpoint,
    NoResources,
    NoSlot,
    NotMlflow,
    QuestionFailed,
    UnknownEndpoint,
    Unreachable,
    WrongShape,
    classify,
    classify_probe,
)

SUCCESS, IGNORED, UNEXPECTED, FAILURE, UNREACHABLE = Signal


@pytest.mark.parametrize(
    ("error", "of_a_call", "of_the_probe"),
    [
        (Missing(""), SUCCESS, SUCCESS),
        (Invalid(""), SUCCESS, SUCCESS),
        (UnknownEndpoint(""), SUCCESS, SUCCESS),
        (errors.UpstreamRefused(""), SUCCESS, SUCCESS),
        (Forbidden(""), UNEXPECTED, UNEXPECTED),
        (errors.UpstreamAuth(""), UNEXPECTED, UNEXPECTED),
        (NotMlflow(""), UNEXPECTED, UNEXPECTED),
        (NoEndpoint(""), UNEXPECTED, UNEXPECTED),
        (errors.UpstreamUnavailable(""), IGNORED, UNEXPECTED),
        (errors.UpstreamTooLarge(""), IGNORED, UNEXPECTED),
        (WrongShape(""), IGNORED, UNEXPECTED),
        (NoSlot(""), IGNORED, IGNORED),
        (NoResources(""), IGNORED, IGNORED),
        (errors.UpstreamNotAsked(""), IGNORED, IGNORED),
        (QuestionFailed(""), FAILURE, FAILURE),
        (errors.UpstreamTimeout(""), FAILURE, FAILURE),
        (errors.UpstreamError(""), FAILURE, FAILURE),
        (Unreachable(""), UNREACHABLE, UNREACHABLE),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.name,
)
def test_each_failure_has_a_signal(
    error: errors.UpstreamFailure, of_a_call: Signal, of_the_probe: Signal
) -> None:
    """A caller's question may itself cause a failure; the health probe fails for MLflow's reasons only."""
    assert of_a_call is classify(error)[0]
    assert of_the_probe is classify_probe(error)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (errors.UpstreamNotAsked(""), "breaker_open"),
        (NoSlot(""), "gate_full"),
        (NoResources(""), "own_lack"),
        (Missing(""), "refused"),
        (Forbidden(""), "forbidden"),
        (errors.UpstreamAuth(""), "upstream_auth"),
        (errors.UpstreamTooLarge(""), "upstream_too_large"),
        (QuestionFailed(""), "failed_question"),
        (errors.UpstreamTimeout(""), "upstream_timeout"),
        (errors.UpstreamError(""), "upstream_error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_each_failure_has_an_outcome_in_the_metrics(error: errors.UpstreamFailure, outcome: str) -> None:
    """The values of the label are public: alerts and dashboards name them."""
    assert outcome == classify(error)[1]
