"""Placement's API, as far as a recovery needs it.

Microversions (API reference of Placement): 1.28 brought consumer generations, 1.36 the one at which writes keep the
type that a consumer has, 1.37 another parent for a child, 1.38 the types themselves. Reads use the highest that both
sides know.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from placement_recovery.cloud.model import Consumer, Inventory, Part, Provider
from placement_recovery.cloud.session import Api
from placement_recovery.config import LEAST_PLACEMENT, Config, microversion
from placement_recovery.errors import ApiConflict, ApiNotFound, ApiRejected, ConfigurationError

CONCURRENT_UPDATE = "placement.concurrent_update"
DUPLICATE_NAME = "placement.duplicate_name"
PROVIDER_IN_USE = "placement.resource_provider.inuse"
HAS_CHILDREN = "placement.resource_provider.cannot_delete_parent"

UNTYPED = "1.36"
REPARENTING = "1.37"  # Placement 6.0, Xena
TYPED = "1.38"
# What Placement shows for consumers that were written without a type; it refuses to take it back (400).
UNKNOWN_TYPE = "unknown"


class Placement:
    """A client over one endpoint. Each method is one request, but for `provider` and `tree`."""

    def __init__(self, api: Api, config: Config) -> None:
        self._api = api
        wanted = microversion(config.placement_microversion)
        offered = api.greatest_microversion()
        if offered < LEAST_PLACEMENT:
            raise ConfigurationError(
                f"placement offers microversion {_text(offered)} at the most; consumer generations need "
                f"{_text(LEAST_PLACEMENT)} (Rocky)"
            )
        self._read = min(wanted, offered)
        self.keeps_types = self._read >= microversion(TYPED)
        self.reparents = self._read >= microversion(REPARENTING)

    @property
    def read_version(self) -> str:
        """The microversion of all reads."""
        return _text(self._read)

    def _get(self, path: str, params: Optional[Mapping[str, Any]] = None) -> Dict[str, Any]:
        return self._api.get(path, self.read_version, params)

    def list_providers(self, **filters: str) -> Tuple[Provider, ...]:
        """Providers by `name`, `uuid`, `in_tree`, ... without what they carry, sorted by name."""
        found = self._get("/resource_providers", filters)["resource_providers"]
        return tuple(sorted((_provider(item) for item in found), key=lambda provider: provider.name))

    def bearers_of(self, trait: str) -> Tuple[Provider, ...]:
        """The providers that bear a trait; none where Placement does not know it (400), for it was just deleted."""
        try:
            return self.list_providers(required=trait)
        except ApiRejected as error:
            if error.status != 400:
                raise
            return ()

    def show_provider(self, uuid: str) -> Provider:
        """One provider without what it carries. Raises ApiNotFound."""
        return _provider(self._get(f"/resource_providers/{uuid}"))

    def describe(self, provider: Provider) -> Provider:
        """The provider with its inventories, traits and aggregates, at the generation of the last one read."""
        path = f"/resource_providers/{provider.uuid}"
        inventories = self._get(f"{path}/inventories")
        traits = self._get(f"{path}/traits")
        aggregates = self._get(f"{path}/aggregates")
        return Provider(
            uuid=provider.uuid,
            name=provider.name,
            generation=min(item["resource_provider_generation"] for item in (inventories, traits, aggregates)),
            parent_uuid=provider.parent_uuid,
            root_uuid=provider.root_uuid,
            inventories={name: _inventory(item) for name, item in sorted(inventories["inventories"].items())},
            traits=tuple(sorted(traits["traits"])),
            aggregates=tuple(sorted(aggregates["aggregates"])),
        )

    def consumers_of(self, provider_uuid: str) -> Dict[str, Dict[str, int]]:
        """Consumer's UUID to the resources that it holds on this provider."""
        found = self._get(f"/resource_providers/{provider_uuid}/allocations")["allocations"]
        return {uuid: dict(item["resources"]) for uuid, item in sorted(found.items())}

    def parts_on(self, provider_uuid: str) -> Dict[str, Part]:
        """Consumer's UUID to its part on this provider and its generation (>= 1.28), in one request for all."""
        found = self._get(f"/resource_providers/{provider_uuid}/allocations")["allocations"]
        return {
            uuid: Part(dict(item["resources"]), item["consumer_generation"]) for uuid, item in sorted(found.items())
        }

    def usages(self, provider_uuid: str) -> Dict[str, int]:
        """Resource class to the amount that is held of it."""
        return dict(self._get(f"/resource_providers/{provider_uuid}/usages")["usages"])

    def overcommitted(self, provider_uuid: str) -> Dict[str, str]:
        """The resource classes of which more is held than can be allocated, with the numbers."""
        found = self._get(f"/resource_providers/{provider_uuid}/inventories")["inventories"]
        capacity = {name: _inventory(item).capacity for name, item in found.items()}
        used = self.usages(provider_uuid)
        return {
            name: f"{amount} {name} are held and {capacity[name]} can be allocated"
            for name, amount in sorted(used.items())
            if name in capacity and amount > capacity[name]
        }

    def show_consumer(self, uuid: str) -> Consumer:
        """All that a consumer holds; one without allocations has generation None."""
        found = self._get(f"/allocations/{uuid}")
        kind = found.get("consumer_type", "")
        return Consumer(
            uuid=uuid,
            project_id=found.get("project_id", ""),
            user_id=found.get("user_id", ""),
            generation=found.get("consumer_generation"),
            allocations={rp: dict(item["resources"]) for rp, item in sorted(found["allocations"].items())},
            type="" if kind == UNKNOWN_TYPE else kind,
        )

    def set_consumers(self, consumers: Iterable[Consumer]) -> None:
        """Make each consumer hold exactly its `allocations`, all in one transaction, at their generations.

        An empty mapping removes the consumer. All must have a type, or none. One stale generation or one breach of
        capacity and nothing changes: ApiConflict. POST /allocations, >= 1.28.
        """
        chosen = list(consumers)
        typed = bool(chosen[0].type)
        body = {consumer.uuid: _allocations_body(consumer) for consumer in chosen}
        version = TYPED if typed else _text(min(self._read, microversion(UNTYPED)))
        self._api.write("POST", "/allocations", version, body)

    def create_provider(self, uuid: str, name: str) -> None:
        """Create a root provider under a UUID of ours. ApiConflict with DUPLICATE_NAME where the name is taken."""
        self._api.write("POST", "/resource_providers", self.read_version, {"uuid": uuid, "name": name})

    def rename_provider(self, uuid: str, name: str) -> None:
        """Give a provider another name; its allocations stand. ApiConflict with DUPLICATE_NAME where it is taken.

        Carries no generation and bumps none: what is carried out late frees or takes a name all the same.
        """
        self._api.write("PUT", f"/resource_providers/{uuid}", self.read_version, {"name": name})

    def reparent_provider(self, provider: Provider, parent_uuid: Optional[str], name: str = "") -> None:
        """Give a child another parent, in whose tree it is from then on; its children follow, all allocations stand.

        Without a parent it is a root. Perhaps with another name, in the same write. Carries no generation and bumps
        none, as `rename_provider`. >= 1.37.
        """
        body = {"name": name or provider.name, "parent_provider_uuid": parent_uuid}
        self._api.write("PUT", f"/resource_providers/{provider.uuid}", self.read_version, body)

    def inventories_of(self, uuid: str) -> Tuple[Dict[str, Inventory], int]:
        """A provider's inventories, and its generation. Raises ApiNotFound."""
        found = self._get(f"/resource_providers/{uuid}/inventories")
        inventories = {name: _inventory(item) for name, item in sorted(found["inventories"].items())}
        return inventories, found["resource_provider_generation"]

    def traits_of(self, uuid: str) -> Tuple[Tuple[str, ...], int]:
        """A provider's traits, and its generation. Raises ApiNotFound."""
        found = self._get(f"/resource_providers/{uuid}/traits")
        return tuple(sorted(found["traits"])), found["resource_provider_generation"]

    def delete_provider(self, uuid: str) -> bool:
        """Delete; False where it was gone already. ApiConflict with PROVIDER_IN_USE or HAS_CHILDREN."""
        try:
            self._api.write("DELETE", f"/resource_providers/{uuid}", self.read_version)
        except ApiNotFound:
            return False
        return True

    def set_traits(self, provider: Provider, traits: Iterable[str]) -> int:
        """Replace the traits, at the generation in `provider`; the new one. ApiConflict where it has moved."""
        body = {"resource_provider_generation": provider.generation, "traits": sorted(traits)}
        path = f"/resource_providers/{provider.uuid}/traits"
        written: int = self._api.write("PUT", path, self.read_version, body)["resource_provider_generation"]
        return written

    def set_aggregates(self, provider: Provider, aggregates: Iterable[str]) -> int:
        """Replace the aggregates, at the generation in `provider`; the new one. ApiConflict where it has moved."""
        body = {"resource_provider_generation": provider.generation, "aggregates": sorted(aggregates)}
        path = f"/resource_providers/{provider.uuid}/aggregates"
        written: int = self._api.write("PUT", path, self.read_version, body)["resource_provider_generation"]
        return written

    def set_inventories(self, provider: Provider, inventories: Mapping[str, Inventory]) -> int:
        """Replace all inventories, at the generation in `provider`; the new one. ApiConflict where it has moved."""
        body = {
            "resource_provider_generation": provider.generation,
            "inventories": {name: vars(item) for name, item in inventories.items()},
        }
        path = f"/resource_providers/{provider.uuid}/inventories"
        written: int = self._api.write("PUT", path, self.read_version, body)["resource_provider_generation"]
        return written

    def list_traits(self, prefix: str) -> Tuple[str, ...]:
        """All traits that begin so, whether a provider bears them or not."""
        return tuple(sorted(self._get("/traits", {"name": f"startswith:{prefix}"})["traits"]))

    def create_trait(self, name: str) -> None:
        """Make a custom trait known; it may be there already."""
        self._api.write("PUT", f"/traits/{name}", self.read_version)

    def delete_trait(self, name: str) -> bool:
        """Forget a custom trait; False where it is gone already, or where a provider still bears it."""
        try:
            self._api.write("DELETE", f"/traits/{name}", self.read_version)
        except (ApiNotFound, ApiConflict):
            return False
        return True


def _text(version: Tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _provider(item: Mapping[str, Any]) -> Provider:
    return Provider(
        uuid=item["uuid"],
        name=item["name"],
        generation=item["generation"],
        parent_uuid=item.get("parent_provider_uuid"),
        root_uuid=item.get("root_provider_uuid"),
    )


def _inventory(item: Mapping[str, Any]) -> Inventory:
    return Inventory(**{name: item[name] for name in Inventory.__dataclass_fields__})


def _allocations_body(consumer: Consumer) -> Dict[str, Any]:
    body: Dict[str, Any] = {
        "allocations": {uuid: {"resources": dict(part)} for uuid, part in consumer.allocations.items()},
        "project_id": consumer.project_id,
        "user_id": consumer.user_id,
        "consumer_generation": consumer.generation,
    }
    if consumer.type:
        body["consumer_type"] = consumer.type
    return body


def batches(consumers: Iterable[Consumer], most: int) -> List[List[Consumer]]:
    """Split for `set_consumers`: typed and untyped apart (they need different microversions), `most` a batch."""
    ordered = sorted(consumers, key=lambda consumer: (bool(consumer.type), consumer.uuid))
    found: List[List[Consumer]] = []
    for consumer in ordered:
        if not found or len(found[-1]) >= most or bool(found[-1][0].type) != bool(consumer.type):
            found.append([])
        found[-1].append(consumer)
    return found
