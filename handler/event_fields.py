"""Parses fields of events."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from coinfarm.errors import ErrorDetail, InvalidInput, error_details

AnyModel = TypeVar("AnyModel", bound=BaseModel)


def parse_field(kind: type[AnyModel], event: dict[str, Any], name: str) -> AnyModel:
    """The field `name` of an event. Raises `InvalidInput` with pointers to what is missing or invalid in it."""
    try:
        return kind.model_validate(event.get(name))
    except ValidationError as error:
        details = error_details(error.errors(include_url=False, include_input=False, include_context=False))
        raise InvalidInput(*(ErrorDetail(f"/{name}{each.pointer}", each.detail) for each in details)) from None
