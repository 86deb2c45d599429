"""The pages of the list of runs: which one a query asks for, and which is the next."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from service.api.parsing import parse_query
from service.api.requests import RunListQuery
from service.errors import FieldError, InvalidRequest
from service.tracking.runs import Place, Run
from service.tracking.search.tokens import TokenError, read_token, write_token

_KIND = "runs"
_NOT_OF_THIS_LIST = (
    "is no cursor of this list: its other parameters must be those of the page before, but for the limit; "
    "leave it out for the first page"
)


class RunListPage(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """A page of the list of runs: its filters, its experiment (None: the default one), and where it starts.

    after: the last run of the page before; None for the first page.
    """

    run_type: str | None
    strategy_id: str | None
    experiment_id: str | None
    limit: int
    after: Place | None = None

    def parameters(self) -> list[tuple[str, object]]:
        """What the query of each of its pages has, but for the cursor."""
        filters = _filters(self.run_type, self.strategy_id, self.experiment_id)
        return [*filters.items(), ("limit", self.limit)]

    def cursor(self, runs: Sequence[Run]) -> str | None:
        """What stands for the next page; None where there is none.

        runs: one more than the limit, where there are so many.
        """
        if len(runs) <= self.limit:
            return None
        filters = _filters(self.run_type, self.strategy_id, self.experiment_id)
        return write_token(_KIND, runs[self.limit - 1].place, filters)


def page_of(query_string: str) -> RunListPage:
    """The page that a query asks for. InvalidRequest; also where its cursor belongs to other filters."""
    query = parse_query(RunListQuery, query_string)
    # An empty value is as none.
    run_type, strategy_id = query.run_type or None, query.strategy_id or None
    experiment_id, after = query.experiment_id or None, None
    if query.cursor:
        try:
            after = read_token(_KIND, query.cursor, Place, _filters(run_type, strategy_id, experiment_id))
        except TokenError as error:
            raise InvalidRequest([FieldError("query.cursor", _NOT_OF_THIS_LIST)]) from error
    return RunListPage(run_type, strategy_id, experiment_id, query.limit, after)


def _filters(run_type: str | None, strategy_id: str | None, experiment_id: str | None) -> dict[str, str]:
    """What a cursor belongs to: the parameters that say which list it is."""
    values = {"run_type": run_type, "strategy_id": strategy_id, "experiment_id": experiment_id}
    return {name: value for name, value in values.items() if value is not None}
