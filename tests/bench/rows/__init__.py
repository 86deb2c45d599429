"""The rows of the bench, in groups that can be run alone."""

from collections.abc import Callable, Mapping

from tests.bench.report import Findings
from tests.bench.rows.analysis import analysis
from tests.bench.rows.bench import Bench
from tests.bench.rows.cold import cold
from tests.bench.rows.compare_cold import compare_cold
from tests.bench.rows.crowd import herd, trace
from tests.bench.rows.direct import direct
from tests.bench.rows.events import events
from tests.bench.rows.fleet import fleet
from tests.bench.rows.growth import computing, growth
from tests.bench.rows.guarded import guarded
from tests.bench.rows.hot import hot
from tests.bench.rows.search import search
from tests.bench.rows.search_beside import search_beside, search_bill
from tests.bench.rows.search_direct import search_direct
from tests.bench.rows.search_million import search_million
from tests.bench.rows.size import memory, start
from tests.bench.rows.tail import tail

GROUPS: Mapping[str, Callable[[Bench], Findings]] = {
    "hot": hot,
    "guarded": guarded,
    "cold": cold,
    "herd": herd,
    "trace": trace,
    "tail": tail,
    "memory": memory,
    "start": start,
    "computing": computing,
    "growth": growth,
    "direct": direct,
    "compare-cold": compare_cold,
    "search": search,
    "search-beside": search_beside,
    "search-bill": search_bill,
    "search-direct": search_direct,
    "search-million": search_million,
    "analysis": analysis,
    "events": events,
    "fleet": fleet,
}
