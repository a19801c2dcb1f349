"""Where the SCIM library reads and writes: the programme's own people and groups, in one transaction."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from scim2_models import (
    InvalidValueException,
    NotFoundException,
    PreconditionFailedException,
    SCIMException,
    ScimFilter,
    UniquenessException,
)
from scim2_models.path import CompareOperator, Comparison, LogicalExpr, LogicalOperator
from scim2_server.storage import ScimStorage, SearchPage
from scim2_server.utils import parametrize

from handlers.scim import conversion
from handlers.scim.conversion import USER
from policy.reasons import Refusal
from programme.people import groups, provisioning
from store.people import groups as groups_store
from store.people import provisioned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scim2_models import Resource, ResourceType, ResponseParameters, SearchRequest
    from scim2_models.path.expressions import FilterNode

    from handlers.scim.resources import Group
    from programme.moment import Moment

LAST = 2**62
"""Nobody stands behind it: a larger number is more than a database counts to."""
_SCIM_ERRORS: dict[str, type[SCIMException]] = {
    provisioning.TAKEN: UniquenessException,
    provisioning.INVALID: InvalidValueException,
    provisioning.GONE: NotFoundException,
}


@contextmanager
def _told() -> Iterator[None]:
    """Refusals as SCIM tells them; a name that somebody else took a moment before is one."""
    try:
        yield
    except Refusal as refusal:
        raise _SCIM_ERRORS.get(refusal.code, InvalidValueException)(detail=str(refusal)) from refusal
    except sa.exc.IntegrityError as error:
        raise UniquenessException(detail="Another request took this name a moment before.") from error


class Storage(ScimStorage):
    """People and groups in the transaction of one request; the actor is whose key it came with, empty for reading."""

    def __init__(self, moment: Moment, actor: str = "") -> None:
        self._moment = moment
        self._actor = actor

    @contextmanager
    def operation(self) -> Iterator[None]:
        """One operation of a bulk that fails takes nothing of the others with it."""
        with self._moment.session.begin_nested() if self._actor else nullcontext():
            yield

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        with _told():
            if resource_type.name == USER:
                return conversion.user(provisioning.require(self._moment, resource_id), self._moment.today)
            return self._group(groups.require(self._moment, resource_id), response_parameters)

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        with _told():
            if resource_type.name == USER:
                record = provisioning.create(self._moment, conversion.said(resource), actor=self._actor)
                return conversion.user(record, self._moment.today)
            one = cast("Group", resource)
            people = None if one.members is None else _ids(one)
            made = groups.create(self._moment, str(one.display_name), one.external_id, people, actor=self._actor)
            return self._group(made)

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        resource_id = str(resource.id)
        self._require_version(resource_type, resource_id, expected_version)
        with _told():
            if resource_type.name == USER:
                said = conversion.said(resource)
                record = provisioning.change(self._moment, resource_id, said, actor=self._actor)
                return conversion.user(record, self._moment.today)
            one = cast("Group", resource)
            name, people = str(one.display_name), _ids(one)
            made = groups.change(self._moment, resource_id, name, one.external_id, people, actor=self._actor)
            return self._group(made)

    def delete(self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None) -> None:
        self._require_version(resource_type, resource_id, expected_version)
        with _told():
            of = provisioning if resource_type.name == USER else groups
            of.remove(self._moment, resource_id, actor=self._actor)

    def _require_version(self, resource_type: ResourceType, resource_id: str, version: str | None) -> None:
        found = self.get(resource_type, resource_id)
        if version is not None and (found.meta is None or found.meta.version != version):
            raise PreconditionFailedException

    def _group(self, kept: groups_store.Group, response_parameters: ResponseParameters[Any] | None = None) -> Group:
        left_out = {
            str(path).lower() for path in (response_parameters and response_parameters.excluded_attributes) or ()
        }
        return conversion.group(kept, [] if "members" in left_out else groups.members(self._moment, kept))

    def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: object = None,  # noqa: ARG002 - of cursors, which are not announced
    ) -> SearchPage:
        """A page by index. What asks for one name is looked up; any other filter is held against everybody."""
        start, count = min(search_request.start_index_0 or 0, LAST), search_request.count
        names = {one.name for one in resource_types}
        if search_request.filter is None and names == {USER}:
            page = provisioned.page(self._moment.session, start, count)
            found = [conversion.user(record, self._moment.today) for record in page]
            return SearchPage(provisioned.count(self._moment.session), list(found))
        matching = [one for one in self._candidates(names, search_request) if _matches(search_request.filter, one)]
        return SearchPage(len(matching), matching[start : None if count is None else start + count])

    def _candidates(self, names: set[str | None], request: SearchRequest[Any]) -> Iterator[Resource[Any]]:
        session, today = self._moment.session, self._moment.today
        if USER in names:
            wanted = _narrowed(session, request.filter.ast) if request.filter is not None else None
            records = provisioned.page(session, 0, None) if wanted is None else provisioned.of_ids(session, wanted)
            yield from (conversion.user(record, today) for record in records)
        if names - {USER}:
            yield from (self._group(kept, request) for kept in groups_store.listed(session))


def _ids(group: Group) -> list[str]:
    return [one.value or str(one.ref).rpartition("/")[2] for one in group.members or () if one.value or one.ref]


def _matches(scim_filter: ScimFilter[Any] | None, resource: Resource[Any]) -> bool:
    if scim_filter is None:
        return True
    if scim_filter.models:
        return bool(scim_filter.match(resource))
    return bool(parametrize(ScimFilter, type(resource))(str(scim_filter)).match(resource))


def _narrowed(session: Any, node: FilterNode) -> set[str] | None:  # noqa: ANN401 - a session
    """The ids of the few whom a filter can mean at all; None where it may be anybody."""
    if isinstance(node, LogicalExpr) and node.op == LogicalOperator.and_:
        found = [ids for term in node.terms if (ids := _narrowed(session, term)) is not None]
        return set.intersection(*found) if found else None
    if not (isinstance(node, Comparison) and node.op == CompareOperator.eq and isinstance(node.value, str)):
        return None
    value, key = node.value, node.value.casefold()
    match str(node.attr_path).lower().rpartition(":")[2]:
        case "username":
            record = provisioned.by_user_name(session, key)
        case "externalid":
            record = provisioned.by_external_id(session, value)
        case "id":
            record = provisioned.by_id(session, value)
        case "emails" | "emails.value":
            return provisioned.ids_with_email(session, key)
        case _:
            return None
    return {record.person["id"]} if record else set()
