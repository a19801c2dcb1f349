"""What providers send that the standard does not have: read as what it means (docs/operators/scim.md names whose)."""

from __future__ import annotations

from typing import Any

_BOOLEANS = {"true": True, "false": False}
_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user"
_MANAGER = (f"{_ENTERPRISE}:manager", "manager")


def understood(payload: Any) -> Any:  # noqa: ANN401 - any JSON
    """A body in the standard's words: a user, a group, a PATCH, or all of them in bulk."""
    if not isinstance(payload, dict):
        return payload
    operations = _named(payload, "operations")
    if isinstance(operations, list):
        others = {key: value for key, value in payload.items() if key.lower() != "operations"}
        return {**others, "Operations": [_operation(one) for one in operations]}
    return _with_email(_resource(payload))


def offer_told(payload: dict[str, Any], schema: str) -> object:
    """What stands as `offerId` in our extension."""
    ours = _named(payload, schema.lower())
    return _named(ours, "offerid") if isinstance(ours, dict) else None


def _operation(operation: Any) -> Any:  # noqa: ANN401 - any JSON
    if not isinstance(operation, dict):
        return operation
    if "data" in operation:
        return {**operation, "data": understood(operation["data"])}
    if "value" not in operation:
        return operation
    path, value = str(operation.get("path") or ""), operation["value"]
    if path.lower() in _MANAGER:
        return {**operation, "value": _manager(value)}
    return {**operation, "value": _value(path.rpartition(".")[2].rpartition(":")[2], value)}


def _resource(payload: dict[str, Any]) -> dict[str, Any]:
    return {key: _value(key.rpartition(":")[2], value) for key, value in payload.items()}


def _value(name: str, value: Any) -> Any:  # noqa: ANN401 - any JSON
    """A value by the name of its attribute: Entra writes booleans as "True", and a manager as a text or a list.

    HR systems have the share of a post as a number.
    """
    if name.lower() in {"active", "primary"} and isinstance(value, str):
        return _BOOLEANS.get(value.lower(), value)
    if name.lower() == "fte" and isinstance(value, int | float):
        return str(value)
    if name.lower() == "manager":
        return _manager(value)
    if isinstance(value, dict):
        return _resource(value)
    if isinstance(value, list):
        return [_resource(one) if isinstance(one, dict) else one for one in value]
    return value


def _manager(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return {"value": value} if isinstance(value, str) and value else value or None


def _with_email(payload: dict[str, Any]) -> dict[str, Any]:
    """Where the user name is an address, it may be the only one."""
    name = _named(payload, "username")
    if isinstance(name, str) and "@" in name and not _named(payload, "emails"):
        return {**payload, "emails": [{"value": name, "type": "work", "primary": True}]}
    return payload


def _named(payload: dict[str, Any], name: str) -> Any:  # noqa: ANN401 - any JSON
    return next((value for key, value in payload.items() if key.lower() == name), None)
