"""What is done about memory once much has been read."""

import gc

from service.allocator import settle


def test_the_collector_leaves_alone_what_stays() -> None:
    """What is there when memory settles is not examined again; what comes later is."""
    stays: list[object] = [[]]
    settle()
    try:
        comes: list[object] = [[]]
        examined = {id(one) for one in gc.get_objects()}
        assert (False, True) == (id(stays) in examined, id(comes) in examined)
    finally:
        gc.unfreeze()
