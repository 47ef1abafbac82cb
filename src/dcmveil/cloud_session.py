"""A session of botocore that loads no more than S3 needs.

As it comes botocore holds the endpoints of all services in all regions and the documentation of every call: 10 MiB for
nothing. Credentials, regions and endpoints come from where they always do: environment, files, instance.
"""

from __future__ import annotations

import json
import os
from typing import Any

from aiobotocore.session import AioSession
from botocore.loaders import JSONFileLoader, Loader

__all__ = ["lean_session"]

_SERVICES = ("s3", "sts", "sso", "oidc", "portal.sso")  # what credentials may have to be got from, besides


def lean_session() -> Any:
    """A new session."""
    session = AioSession()
    usual = session.get_component("data_loader")
    session.register_component("data_loader", Loader(usual.search_paths, file_loader=_LeanFiles()))
    return session


class _LeanFiles(JSONFileLoader):  # type: ignore[misc]  # botocore has no types
    def _load_file(self, full_path: str, open_method: Any) -> Any:
        if not os.path.isfile(full_path):
            return None
        with open_method(full_path, "rb") as file:
            found = json.loads(file.read(), object_hook=_undocumented)
        if full_path.endswith(f"{os.sep}endpoints.json"):
            for partition in found["partitions"]:
                services = partition["services"]
                partition["services"] = {name: services[name] for name in _SERVICES if name in services}
        return found


def _undocumented(found: dict[str, Any]) -> dict[str, Any]:
    if isinstance(found.get("documentation"), str):
        found["documentation"] = ""
    return found
