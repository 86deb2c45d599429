"""What the matrix makes of what came out: the table, its notes, and whether the whole is a success."""

from tests.matrix.report import Column, Outcome, Verdict, faults, markdown, summary

GOOD = Outcome("test_a", "A holds.", "", Verdict.OK)
LIMITED = Outcome("test_b", "B holds.", "x", Verdict.LIMIT, "It has no B.")
OTHER = Outcome("test_b", "B holds.", "y", Verdict.OK)
DIFFERENT = Outcome("test_a", "A holds.", "", Verdict.DIFFERS, "assert 1 ==\n  2 | 3")


def test_a_row_a_check_and_a_column_a_server() -> None:
    """Each server has its word for each check; what is not plainly ok has a note in words."""
    columns = [Column("one", "One", [GOOD, LIMITED, OTHER]), Column("two", "Two", [DIFFERENT])]
    expected = """\
|  | One | Two |
| --- | --- | --- |
| A holds. | ok | differs (1) |
| B holds. | 1 of 2: limit (2) | not asked |

1. Two: assert 1 == 2 \\| 3 (test_a)
2. One: It has no B. (test_b: `x`)
"""
    assert expected == markdown(columns)


def test_the_same_difference_has_one_note() -> None:
    """Two checks that differ on a server in the same words share a note."""
    again = Outcome("test_c", "C holds.", "", Verdict.DIFFERS, DIFFERENT.words)
    text = markdown([Column("two", "Two", [DIFFERENT, again])])
    assert ["1. Two: assert 1 == 2 \\| 3 (test_a, test_c)"] == text.splitlines()[-1:]


def test_a_row_a_server() -> None:
    """The summary counts the checks that hold wholly, and says in words what does not."""
    columns = [
        Column("one", "One", [GOOD, LIMITED, OTHER]),
        Column("two", "Two", [GOOD, OTHER]),
        Column("four", "Four", [DIFFERENT]),
        Column("three", "Three", not_tried="it needs Python 2"),
    ]
    expected = """\
| server | checks that hold | what does not |
| --- | --- | --- |
| One | 1 of 2 | It has no B. |
| Two | 2 of 2 |  |
| Four | 0 of 1 | test_a differs. |
| Three | not tried | it needs Python 2 |
"""
    assert expected == summary(columns)


def test_limits_are_no_faults() -> None:
    """Where all hold but what a server cannot do by its own limits, the whole is a success."""
    assert [] == faults([Column("one", "One", [GOOD, LIMITED])], frozenset())


def test_a_difference_is_a_fault() -> None:
    """A server that differs, or breaks off, is named."""
    columns = [Column("one", "One", [GOOD, DIFFERENT]), Column("two", "Two", [GOOD], broken="it ended")]
    assert ["one: 1 of 2 tests differ", "two broke off: it ended"] == faults(columns, frozenset())


def test_a_server_that_is_not_to_be_had() -> None:
    """It is never shown as good, and is a fault unless it may be left out."""
    columns = [Column("one", "One", [GOOD]), Column("two", "Two", not_tried="it needs Python 2")]
    assert ["two was not tried: it needs Python 2"] == faults(columns, frozenset())
    assert [] == faults(columns, frozenset({"two"}))
    assert "| A holds. | ok | not tried |\n\n- Two was not tried: it needs Python 2\n" in markdown(columns)
