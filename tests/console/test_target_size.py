"""What is pressed is large enough (WCAG 2.2, 2.5.8): 24 by 24 px, or that far from its neighbours."""

from typing import Final

import pytest

from tests.console.accessibility import faults
from tests.console.states import addresses
from tests.console.watched import Watched

pytestmark = pytest.mark.console

# axe-core has this rule, and does not apply it unless it is asked to.
_RUN: Final = """async () => {
  const { violations } = await axe.run(document, { runOnly: ["target-size"] });
  return violations.flatMap(({ nodes }) =>
    nodes.map(({ html, target }) => `${target}: ${html.slice(0, 160)}`));
}"""


@pytest.mark.parametrize("page", addresses())
async def test_targets_are_large_enough(sample_page: Watched, page: str) -> None:
    """Links and buttons of each page can be hit by a finger, and by a hand that trembles."""
    await sample_page.go(addresses()[page])
    await sample_page.is_settled()
    assert [] == await faults(sample_page, "light")  # which loads axe-core
    small = await sample_page.page.evaluate(_RUN)
    assert not small, "\n".join(small)
