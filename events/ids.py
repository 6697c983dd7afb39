"""Ids, addresses and times of the example events: synthetic, and the same each time."""

import hashlib
import uuid
from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 1, 1, 8, 0, 5, tzinfo=UTC)
ACCOUNT = "123456789012"
REGION = "us-east-1"
SOURCE_IP = "203.0.113.7"

Json = dict[str, Any]


def trace_id(seed: str) -> str:
    return f"Root=1-{int(NOW.timestamp()):08x}-{hashlib.sha256(seed.encode()).hexdigest()[:24]}"


def unique_id(seed: str) -> str:
    return str(uuid.UUID(bytes=hashlib.sha256(seed.encode()).digest()[:16], version=4))


def milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)
