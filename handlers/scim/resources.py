"""What we publish of SCIM's schemas: only what the programme needs of a person, and our own extension.

Whatever else a provider sends of a person, such as a phone number or a photo, is not kept.

(No postponed annotations here: pydantic reads those of the models when it makes them.)
"""

from typing import Annotated, Any

from pydantic import Field, PrivateAttr
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Extension,
    Filter,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)
from scim2_models.resources.resource import AnyExtension

from handlers.scim import MOST_BYTES
from policy.parameters.grants import LEVELS

MOST_OPERATIONS, MOST_RESULTS = 1_000, 1_000
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo")
"""Examples: every zone of `tzdata` is one."""


class Name(ComplexAttribute):
    formatted: str | None = None
    """The full name."""
    family_name: str | None = None
    """The family name."""
    given_name: str | None = None
    """The given name."""


class Email(ComplexAttribute):
    value: Annotated[str | None, Required.true] = None
    """The address."""
    type: str | None = Field(None, examples=["work", "home", "other"])
    """What it is used for."""
    primary: bool | None = None
    """Whether it is the address by which the programme knows the person."""


class User(Resource[AnyExtension]):
    """A person."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    external_id: Annotated[str | None, CaseExact.true, Uniqueness.server] = None
    """Who the person is, whatever their user name and e-mail."""
    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """The name by which the provider knows the person."""
    name: Name | None = None
    """The parts of the name."""
    display_name: str | None = None
    """The name as it is shown."""
    timezone: str | None = Field(None, examples=list(ZONES))
    """A zone of the IANA database; the programme's own where it is left out."""
    active: bool | None = None
    """Whether the person is here: who is deactivated leaves today, and nothing of them is deleted."""
    emails: Annotated[list[Email] | None, Required.true] = None
    """Addresses; gateways report usage by the one that is primary, else of work. The user name, where it is one."""


class Manager(ComplexAttribute):
    value: Annotated[str | None, Required.true, CaseExact.true] = None
    """The manager's id; an external id, a user name or an e-mail is understood too, also before the manager exists."""
    ref: Reference["User"] | None = Field(  # type: ignore[type-arg]  # its extensions do not matter here
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """Where the manager is."""


class EnterpriseUser(Extension):
    """Where the person is in the company."""

    __schema__ = URN("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")

    department: str | None = None
    """The department."""
    cost_center: str | None = None
    """The cost centre."""
    manager: Manager | None = None
    """Whom the person reports to."""


class Participation(Extension):
    """What a monthly grant follows from."""

    __schema__ = URN("urn:tokens-bot:params:scim:schemas:extension:participation:1.0:User")

    level: str | None = Field(None, examples=list(LEVELS))
    """The level; without it the person takes no part."""
    role_family: str | None = None
    """The role family; without it, or with one that the handbook leaves out, the person takes no part."""
    pay_band: str | None = None
    """The pay band; never a salary."""
    fte: str | None = Field(None, examples=["1", "0.8", "0.5"])
    """The share of a full post as a decimal above 0 and at most 1."""
    hired_on: str | None = Field(None, examples=["2024-01-01"])
    """The first day, such as 2026-11-01; the day on which the person is told of, where it is left out."""
    last_day: str | None = Field(None, examples=["2098-12-31"])
    """The last day, such as 2026-12-31."""
    _offer_id: str | None = PrivateAttr(default=None)

    @property
    def accepted_offer(self) -> str | None:
        """The offer that a joiner accepted, where the provider tells it: it is taken, never told, and not published.

        scim2-tester wants back whatever an extension publishes, and whose an offer was is forgotten in time.
        """
        return self._offer_id

    def take_offer(self, told: object) -> None:
        """Keep `offerId` as a provider tells it."""
        self._offer_id = told if isinstance(told, str) else None


class GroupMember(ComplexAttribute):
    value: Annotated[str | None, CaseExact.true] = None
    """A person's id."""
    ref: Reference["User"] | None = Field(  # type: ignore[type-arg]  # its extensions do not matter here
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """Where the person is."""


class Group(Resource[Any]):
    """A group of people; one with the name of a role, such as `tokens-board`, says who has it."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true, Uniqueness.server] = None
    """The name."""
    members: list[GroupMember] | None = None
    """The people."""


FullUser = User[EnterpriseUser | Participation]

POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
"""Providers send attributes that nobody published, and Entra has ways of its own to remove and to add entries."""


def provider() -> ScimProvider:
    """What `/ServiceProviderConfig`, `/ResourceTypes` and `/Schemas` say."""
    return ScimProvider(
        models=[User, EnterpriseUser, Participation, Group],
        resource_types=[ResourceType.from_resource(FullUser), ResourceType.from_resource(Group)],
        config=ServiceProviderConfig(
            patch=Patch(supported=True),
            bulk=Bulk(supported=True, max_operations=MOST_OPERATIONS, max_payload_size=MOST_BYTES),
            filter=Filter(supported=True, max_results=MOST_RESULTS),
            change_password=ChangePassword(supported=False),
            sort=Sort(supported=False),
            etag=ETag(supported=True),
            authentication_schemes=[
                AuthenticationScheme(
                    type=AuthenticationScheme.Type.oauthbearertoken,
                    name="A key of tokens-bot",
                    description="`tokens-bot keys create NAME --scope scim:write` prints one.",
                    primary=True,
                )
            ],
        ),
        policy=POLICY,
    )
