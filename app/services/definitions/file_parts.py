"""The base of all models of an app file: strict at import, lenient for files that are stored already.

`Part.model_validate(values)` refuses a part that is not as it should be. `Part.read(values)` never fails: a field that
cannot be read counts as absent, so that a file that an older release accepted cannot break a request.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Self, TypeVar, get_args

import pydantic
from pydantic_core import CoreSchema, PydanticKnownError, PydanticUseDefault, core_schema

# The validation context of `read`.
STORED: Final = "stored"
# Marks a field of a checked part that imports do not check.
UNCHECKED: Final = object()

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Fallback:
    """Marks a field that imports demand (null will not do), with its value where a stored file has no usable one."""

    value: Any


class FilePart(pydantic.BaseModel):
    """One mapping of an app file. Shared by threads: `stored` and what it holds must not be changed.

    Null counts as absent where a field has a default and does not take null; keys without a field are kept unread.
    """

    model_config = pydantic.ConfigDict(strict=True, frozen=True, extra="ignore", protected_namespaces=())

    # False: imports look at the mapping's type alone and accept whatever is inside.
    checked: ClassVar[bool] = True
    _fallbacks: ClassVar[dict[str, Any]] = {}
    _unchecked: ClassVar[frozenset[str]] = frozenset()

    _stored: dict[str, Any] = pydantic.PrivateAttr(default_factory=dict)

    @classmethod
    def read(cls, values: dict[str, Any]) -> Self:
        """Read a stored mapping; what cannot be read counts as absent."""
        return cls.model_validate(values, context=STORED)

    @property
    def stored(self) -> dict[str, Any]:
        """The mapping as the file has it, for those who pass it on."""
        return self._stored

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        fields = cls.__pydantic_fields__.items()
        cls._fallbacks = {
            name: mark.value for name, field in fields for mark in field.metadata if isinstance(mark, Fallback)
        }
        cls._unchecked = frozenset(name for name, field in fields if UNCHECKED in field.metadata)

    @pydantic.model_validator(mode="wrap")
    @classmethod
    def _read_mapping(
        cls, values: Any, handler: pydantic.ModelWrapValidatorHandler[Self], info: pydantic.ValidationInfo
    ) -> Self:
        if not isinstance(values, dict):
            raise PydanticKnownError("dict_type")
        if info.context == STORED:
            part = handler({**cls._fallbacks, **values})
        else:
            part = handler(values) if cls.checked else cls.read(values)
        part._stored = values
        return part

    @pydantic.field_validator("*", mode="wrap")
    @classmethod
    def _read_field(
        cls, value: Any, handler: pydantic.ValidatorFunctionWrapHandler, info: pydantic.ValidationInfo
    ) -> Any:
        name = str(info.field_name)
        # Editors write an empty mapping for a part that nobody has set.
        if value == {} and isinstance(cls.__pydantic_fields__[name].default, FilePart):
            raise PydanticUseDefault
        try:
            return handler(value)
        except pydantic.ValidationError:
            if name in cls._fallbacks:
                if info.context == STORED:
                    return cls._fallbacks[name]
            elif value is None or info.context == STORED or name in cls._unchecked:
                raise PydanticUseDefault from None
            raise


class UncheckedPart(FilePart):
    """A part that imports accept whatever is inside: what cannot be read of it counts as absent there, too."""

    checked: ClassVar[bool] = False


def at_import(check: Callable[[Any], None]) -> pydantic.AfterValidator:
    """Demand more of a field at import than its type says. `check` raises ValueError."""

    def checked(value: Any, info: pydantic.ValidationInfo) -> Any:
        if info.context != STORED:
            check(value)
        return value

    return pydantic.AfterValidator(checked)


def _read_items(value: Any, handler: pydantic.ValidatorFunctionWrapHandler, info: pydantic.ValidationInfo) -> Any:
    try:
        return tuple(handler(value))
    except pydantic.ValidationError as error:
        lines = error.errors(include_url=False, include_context=False, include_input=False)
        unreadable = {line["loc"][0] for line in lines if line["loc"]}
        if info.context != STORED or not unreadable:
            raise
        return tuple(handler([item for number, item in enumerate(value) if number not in unreadable]))


def _list_schema(source: Any, handler: pydantic.GetCoreSchemaHandler) -> CoreSchema:
    # A type that is made while the program runs, which mypy cannot read.
    items = handler.generate_schema(list[get_args(source)[0]])  # type: ignore[misc]
    return core_schema.with_info_wrap_validator_function(_read_items, items)


# A list of the file as a tuple. Items of a stored file that cannot be read are left out.
ListOf = Annotated[tuple[_Item, ...], pydantic.GetPydanticSchema(_list_schema)]
# Whatever the file has, as a text; null, false, 0 and what is empty are an empty one.
Text = Annotated[str, pydantic.BeforeValidator(lambda value: str(value) if value else "")]
# On or off; off for null, 0 and what is empty.
Switch = Annotated[bool, pydantic.BeforeValidator(bool)]
