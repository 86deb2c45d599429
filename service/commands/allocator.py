"""How the C library's allocator is told to treat large blocks."""

from __future__ import annotations

import ctypes
from contextlib import suppress

# https://man7.org/linux/man-pages/man3/mallopt.3.html
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_LARGE = 1_048_576  # bytes
_KEPT = 4_194_304  # bytes


def keep_no_large_blocks() -> None:
    """Blocks of a megabyte and more go back to the system as soon as they are freed, smaller ones later.

    By default glibc raises its threshold to the largest block that was ever freed, up to 32 MiB, and takes
    later ones from the heap, where small ones above them keep them: after some endless answers of MLflow, the
    process stayed at 115 MB, with this at 58. Of the heap's end four megabytes may be free, what a list of a
    hundred runs needs while it is read: to fetch that from the system each time, page by page, made up a
    third of taking its body in. Where the C library is another, nothing happens.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT)
