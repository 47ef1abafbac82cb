from collections.abc import Callable
from typing import Any

def load(arrays: dict[str, list[tuple[Any, ...]]], edition: str, check: Callable[[], None]) -> None: ...
