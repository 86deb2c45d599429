"""MLflow's basic-auth app: who is known to it, and what an administrator tells it."""

import base64
import json
import secrets
import urllib.request
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Login:
    username: str
    password: str

    @property
    def headers(self) -> dict[str, str]:
        pair = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}


ADMIN = Login("admin", secrets.token_hex())
RESEARCHER = Login("researcher", secrets.token_hex())

# MLflow's own values, but for the administrator's password, and for the time for which a good password is
# remembered: as MLflow ships, it checks one several times a request, which takes longer than all the rest.
CONFIGURATION = f"""[mlflow]
default_permission = READ
database_uri = sqlite:///basic_auth.db
admin_username = {ADMIN.username}
admin_password = {ADMIN.password}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 600
"""


def create_user(url: str, user: Login, *, by: Login) -> None:
    """Make an account. https://mlflow.org/docs/latest/self-hosting/security/basic-http-auth/"""
    _post(url, "api/2.0/mlflow/users/create", {"username": user.username, "password": user.password}, by)


def forbid_experiment(url: str, experiment_id: str, user: Login, *, by: Login) -> None:
    """Take away every right of a user's to an experiment."""
    what = {"resource_type": "experiment", "resource_id": experiment_id, "permission": "DENY"}
    _post(url, "api/3.0/mlflow/users/permissions/grant", {"username": user.username, **what}, by)


def _post(url: str, path: str, body: dict[str, str], by: Login) -> None:
    headers = {"Content-Type": "application/json", **by.headers}
    request = urllib.request.Request(  # noqa: S310 - an address of our own
        f"{url}{path}", json.dumps(body).encode(), headers
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as reply:
        reply.read()
