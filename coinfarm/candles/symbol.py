"""Market symbols such as `BTCUSD`, which are safe in paths."""

from typing import Annotated

from pydantic import Field

Symbol = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$", examples=["BTCUSD"])]
