"""PostgreSQL and Valkey of one data folder: made, started and stopped with no installation."""

from hosting.engines.errors import InstanceError
from hosting.engines.lock import claim
from hosting.engines.service import Engines

__all__ = ["Engines", "InstanceError", "claim"]
