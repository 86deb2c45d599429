"""What `check` says about the store that replicas share: whether it is of use, and what to do if not."""

from __future__ import annotations

from collections.abc import Callable

from service.settings.store import StoreSettings

Say = Callable[[str], object]

_PATIENCE = "TRACKING_STORE__PATIENCE"
_CREDENTIALS = "set TRACKING_STORE__USERNAME and TRACKING_STORE__PASSWORD to what it expects"
_PRIMARY = "it is a replica: give TRACKING_STORE__URL the address of its primary"
_HINTS = {
    "loading": "it reads its data at the moment: try again later",
    "masterdown": _PRIMARY,
    "misconf": "it cannot write to its disk: look at its log",
    "noauth": _CREDENTIALS,
    "noperm": "its user may not do what replicas need: give it the rights of "
    "config/deploy/store/users.acl, for keys that begin with TRACKING_STORE__PREFIX",
    "not_redis": "what answers there does not speak the Redis protocol: give TRACKING_STORE__URL the address "
    "of a Valkey or Redis",
    "oom": "its memory is full: give it more, or let it evict keys with a time to live (volatile-lru)",
    "readonly": _PRIMARY,
    "wrongpass": _CREDENTIALS,
    "wrongtype": "another service uses the same keys: set TRACKING_STORE__PREFIX to one of your own",
}


async def check_sharing(chosen: StoreSettings, say: Say) -> int:
    """Attach to the store once and say what came of it; 1 if it is of no use, else 0.

    It writes one key, which nobody reads and which is gone some seconds later.
    """
    from service.wiring.store import link_to  # noqa: PLC0415 - needs the extra

    link = link_to(chosen, f"{chosen.prefix}:check")
    kind, reason = await link.examine()
    if not kind:
        say(f"ok  store of the replicas: {link.server.shown} answers, runs scripts and takes writes")
        return 0
    say(f"!!  store of the replicas: {link.server.shown} cannot be used: {_words(kind, reason)}")
    say(f"    {_hint(kind, reason, chosen)}. Until it is of use, each replica goes on alone")
    return 1


def _words(kind: str, reason: str) -> str:
    return f"{kind}: {reason}" if reason else kind


def _hint(kind: str, reason: str, chosen: StoreSettings) -> str:
    if kind in {"slow", "timeout"}:
        return (
            f"it takes longer to answer than {_PATIENCE}={chosen.patience:g} s: see that it is nearby "
            f"and not overloaded, or raise {_PATIENCE}"
        )
    if "certificate" in reason.lower():
        return "name its authority in TRACKING_STORE__CA_FILE, and the host as its certificate does"
    if kind in _HINTS:
        return _HINTS[kind]
    is_plain = chosen.address.startswith("redis://")
    scheme = "rediss:// where it speaks TLS" if is_plain else "redis:// where it speaks no TLS"
    return f"see that TRACKING_STORE__URL is right ({scheme}), and that this host can reach it"
