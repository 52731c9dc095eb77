"""Types and small bodies that several groups of routes share."""

import uuid
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from typing_extensions import TypeAliasType


def _canonical(value: str) -> str:
    return str(uuid.UUID(value))


def _absent_if_empty(value: Any) -> Any:
    return None if value == "" else value


UuidText = Annotated[str, AfterValidator(_canonical)]
OptionalUuid = Annotated[Annotated[str, AfterValidator(_canonical)] | None, BeforeValidator(_absent_if_empty)]

JSONObject = TypeAliasType("JSONObject", dict[str, Any])
JSONValue = TypeAliasType("JSONValue", str | int | float | bool | dict[str, Any] | list[Any] | None)
JSONValueType = TypeAliasType("JSONValueType", Any)
GeneratedAppResponse = TypeAliasType("GeneratedAppResponse", Any)
EventStreamResponse = TypeAliasType("EventStreamResponse", str)


class Body(BaseModel):
    """A shape of the API. Unknown keys of a request are ignored."""

    model_config = ConfigDict(populate_by_name=True, protected_namespaces=())


class SimpleResultResponse(Body):
    result: str = "success"

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class BooleanResultResponse(Body):
    result: bool


class ResultResponse(SimpleResultResponse):
    """The same under the name that the conversation family uses."""
