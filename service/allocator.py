"""Memory: the settings of the C library's allocator, and what is done once much has been read."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

# https://man7.org/linux/man-pages/man3/mallopt.3.html
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_LARGE = 1_048_576  # bytes
_KEPT = 4_194_304  # bytes


def keep_no_large_blocks() -> None:
    """Make glibc return freed blocks of a megabyte and more to the system at once; do nothing without glibc.

    By default glibc raises the threshold for this to the largest block that was ever freed, up to 32 MiB. It
    then takes large blocks from the heap, where a small block above a large one keeps its memory from being
    returned: after some very large answers of MLflow, the process stayed at 115 MB, and at 58 MB with this
    setting.

    Up to four megabytes at the end of the heap may stay free. A list of a hundred runs needs that much while
    it is read. To get it from the system each time, page by page, took a third of the time of reading the
    body.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT)


def settle() -> None:
    """Take what there is as here to stay, and return all memory that is free to the system.

    The garbage collector does not examine what stays again and again: with 100,000 runs in the index that
    held the event loop for 35 ms each time. What was read from a snapshot of them left 56 MB free between the
    blocks that stay, which glibc returns when asked (https://man7.org/linux/man-pages/man3/malloc_trim.3.html).
    """
    gc.freeze()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
