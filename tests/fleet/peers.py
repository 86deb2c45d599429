"""Which process is at the other end of a loopback connection, as /proc tells."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path


def owner(port: int, pids: Iterable[int]) -> int | None:
    """Of these processes, the one that connects from this port; None where it is none of them."""
    names = {f"socket:[{inode}]" for inode in _inodes(port)}
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
            with suppress(OSError):  # it has been closed since
                if str(descriptor.readlink()) in names:
                    return pid
    return None


def _inodes(port: int) -> Iterator[str]:
    # https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt
    for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rpartition(":")[2], 16) == port:
            yield fields[9]
