"""The user of config/deploy, as which the replicas of the tests use a store: it has its rights only."""

from hashlib import sha256
from typing import Final

from service.store.connections import Server
from tests.deploy.files import DEPLOY
from tests.store.servers import StoreServer

PREFIX: Final = "tracking"  # of the keys that the user may use
INDEX: Final = f"{PREFIX}:shared"  # what the keys of the index begin with
NAME: Final = "tracking"
PASSWORD: Final = "a long and secret word"  # noqa: S105 - a test's own


def rules() -> list[str]:
    """What the file of users says about it, with the password in its place."""
    lines = (DEPLOY / "store" / "users.acl").read_text("utf-8").splitlines()
    [line] = [line for line in lines if line.startswith(f"user {NAME} ")]
    return line.replace("PASSWORD_SHA256", sha256(PASSWORD.encode()).hexdigest()).split()[2:]


def options() -> list[str]:
    """The server's command line with that user besides the default one, who may do anything."""
    return ["--user", NAME, *rules()]


async def give(server: StoreServer) -> None:
    """Give the user its rights again, whatever has become of them."""
    await server.command("ACL", "SETUSER", NAME, "reset", *rules())


def as_user(url: str) -> Server:
    """The server as a replica sees it."""
    return Server(url, lambda: (NAME, PASSWORD))
