"""Stored JSON documents: manifests, pointers, runs, evaluations."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from coinfarm.errors import CoinfarmError, DocumentError

FromDate = Annotated[date, Field(validation_alias="from", serialization_alias="from")]
ToDate = Annotated[date, Field(validation_alias="to", serialization_alias="to")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Document(BaseModel):
    """A frozen JSON document: camelCase in JSON, snake_case in Python; unknown fields are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, allow_inf_nan=False)
    error: ClassVar[type[CoinfarmError]] = DocumentError
    """The class of the error that `parse` raises."""

    @classmethod
    def parse(cls, data: bytes, where: str) -> Self:
        """The document stored at `where`. Raises `error`, which names the place and the invalid fields."""
        with translate_validation_errors(where, cls.error):
            return cls.model_validate_json(data)

    def to_json(self) -> bytes:
        """The stored form."""
        return self.model_dump_json(by_alias=True, exclude_none=True, indent=2).encode() + b"\n"


@contextmanager
def translate_validation_errors(where: str, error: type[CoinfarmError]) -> Iterator[None]:
    """Turn pydantic's `ValidationError` into an `error` that names `where` and the invalid fields."""
    try:
        yield
    except ValidationError as invalid:
        details = [f"{'.'.join(map(str, each['loc'])) or 'document'}: {each['msg']}" for each in invalid.errors()]
        raise error(f"{where} is not valid: {'; '.join(details[:3])}") from invalid
