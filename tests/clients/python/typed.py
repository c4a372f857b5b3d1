"""Whether an answer has the types that the SDK's models declare.

The SDK keeps a value it cannot convert as it came, so a wrong type would pass unseen; these stories look.
"""

import datetime
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from box_sdk_gen.internal.base_object import BaseObject


def _fits(value: Any, declared: Any) -> bool:
    if declared is Any:
        return True
    if value is None:
        return declared is type(None)
    origin = get_origin(declared)
    if origin is Union:
        return any(_fits(value, one) for one in get_args(declared))
    if origin is list:
        return isinstance(value, list) and all(_fits(entry, get_args(declared)[0]) for entry in value)
    if origin is dict:
        return isinstance(value, dict)
    if declared is bool:
        return isinstance(value, bool)
    if declared is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if declared is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if declared is datetime.datetime:
        return isinstance(value, datetime.datetime) and value.tzinfo is not None
    if isinstance(declared, type) and issubclass(declared, Enum):
        return isinstance(value, declared)
    if isinstance(declared, type):
        return isinstance(value, declared)
    return True


def well_typed(thing: Any, path: str = "") -> Any:
    """Asserts that every field of an SDK object, however deep, has its declared type; returns the object."""
    if isinstance(thing, list):
        for place, entry in enumerate(thing):
            well_typed(entry, f"{path}[{place}]")
        return thing
    if not isinstance(thing, BaseObject):
        return thing
    here = path or type(thing).__name__
    declared = get_type_hints(type(thing).__init__)
    for field, value in vars(thing).items():
        if field.startswith("_"):
            continue
        if value is not None and field in declared:
            assert _fits(value, declared[field]), f"{here}.{field} is {value!r}, not {declared[field]}"
        well_typed(value, f"{here}.{field}")
    return thing
