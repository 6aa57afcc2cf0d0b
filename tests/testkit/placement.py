"""Placement's state, set and read over HTTP."""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, Iterable, Mapping, Optional, Union
from urllib.parse import quote

from testkit.api import Api, Unexpected
from testkit.rows import PROJECT, USER, new_uuid

Resources = Mapping[str, int]
Inventories = Mapping[str, Union[int, Mapping[str, Any]]]

# What nova-compute reports with its defaults for a host of 16 CPUs, 64 GiB and 1028 GiB.
NOVA_INVENTORIES: Inventories = {
    "VCPU": {"total": 16, "max_unit": 16, "allocation_ratio": 4.0},
    "MEMORY_MB": {"total": 65536, "max_unit": 65536, "reserved": 512},
    "DISK_GB": {"total": 1028, "max_unit": 1028},
}
ONE_SERVER: Resources = {"VCPU": 1, "MEMORY_MB": 512, "DISK_GB": 1}


class PlacementRows:
    """Resource providers and allocations."""

    def __init__(self, api: Api) -> None:
        self._placement = api

    # providers

    def provider(
        self, name: str, uuid: str = "", *, parent: str = "", inventories: Inventories = NOVA_INVENTORIES,
        traits: Iterable[str] = ("COMPUTE_NODE",), aggregates: Iterable[str] = (),
    ) -> str:
        """A resource provider; an inventory is a total or Placement's fields. Returns its UUID."""
        body = {"name": name, "uuid": uuid or new_uuid()}
        if parent:
            body["parent_provider_uuid"] = parent
        self._placement.call("POST", "/resource_providers", body)
        self.set_inventories(body["uuid"], inventories)
        self.set_traits(body["uuid"], traits)
        if aggregates:
            self.set_aggregates(body["uuid"], aggregates)
        return body["uuid"]

    def find_provider(self, name: str) -> Optional[str]:
        """The UUID of the provider that bears the name; None where none does."""
        found = self._placement.get(f"/resource_providers?name={quote(name)}")["resource_providers"]
        return str(found[0]["uuid"]) if found else None

    def show_provider(self, uuid: str) -> Optional[Dict[str, Any]]:
        """name, generation, parent_provider_uuid, root_provider_uuid; None where there is no such provider."""
        try:
            found: Dict[str, Any] = self._placement.get(f"/resource_providers/{uuid}")
        except Unexpected as error:
            if error.status == 404:
                return None
            raise
        return found

    def delete_provider(self, uuid: str) -> None:
        """Delete a provider that nobody uses."""
        self._placement.call("DELETE", f"/resource_providers/{uuid}")

    def inventories(self, uuid: str) -> Dict[str, Dict[str, Any]]:
        """By resource class: total, reserved, min_unit, max_unit, step_size, allocation_ratio."""
        found: Dict[str, Dict[str, Any]] = self._of(uuid, "inventories")["inventories"]
        return found

    def set_inventories(self, uuid: str, inventories: Inventories) -> None:
        """Replace all inventories; custom resource classes are made where need be."""
        for name in filter(_is_custom, inventories):
            self._placement.call("PUT", f"/resource_classes/{name}")
        full = {name: given if isinstance(given, Mapping) else {"total": given} for name, given in inventories.items()}
        self._replace(uuid, "inventories", full)

    def shrink(self, uuid: str, name: str, total: int) -> None:
        """Give one resource class of a provider another total at ratio 1, below what is allocated if need be."""
        found = {one: {**given, "total": total, "allocation_ratio": 1.0} if one == name else given
                 for one, given in self.inventories(uuid).items()}
        self.set_inventories(uuid, found)

    def traits(self, uuid: str) -> FrozenSet[str]:
        """The names of the provider's traits."""
        return frozenset(self._of(uuid, "traits")["traits"])

    def set_traits(self, uuid: str, traits: Iterable[str]) -> None:
        """Replace all traits; custom ones are made where need be."""
        names = sorted(set(traits))
        for name in filter(_is_custom, names):
            self._placement.call("PUT", f"/traits/{name}")
        self._replace(uuid, "traits", names)

    def aggregates(self, uuid: str) -> FrozenSet[str]:
        """The UUIDs of the provider's aggregates."""
        return frozenset(self._of(uuid, "aggregates")["aggregates"])

    def set_aggregates(self, uuid: str, aggregates: Iterable[str]) -> None:
        """Replace all aggregates."""
        self._replace(uuid, "aggregates", sorted(aggregates))

    # allocations

    def allocate(
        self, consumer: str, resources: Mapping[str, Resources], project: str = PROJECT, user: str = USER,
        consumer_type: str = "",
    ) -> None:
        """Set all of a consumer's allocations: {provider: {class: amount}}; {} takes them away.

        Written at 1.36 as nova does, with a consumer type at 1.38.
        """
        body = _allocations(resources, project, user, self._consumer_generation(consumer))
        if consumer_type:
            body["consumer_type"] = consumer_type
        self._placement.call("PUT", f"/allocations/{consumer}", body, "1.38" if consumer_type else "1.36")

    def allocate_new(
        self, consumers: Iterable[str], resources: Mapping[str, Resources], project: str = PROJECT, user: str = USER
    ) -> None:
        """The same allocations for many consumers that have none yet, in one request."""
        body = {consumer: _allocations(resources, project, user, None) for consumer in consumers}
        if body:
            self._placement.call("POST", "/allocations", body, "1.36")

    def allocations(self, consumer: str) -> Dict[str, Dict[str, int]]:
        """{provider: {class: amount}} of a consumer; empty where it has none."""
        found = self.consumer(consumer)["allocations"]
        return {provider: held["resources"] for provider, held in found.items()}

    def consumer(self, consumer: str) -> Dict[str, Any]:
        """Placement's answer at 1.39: allocations, project_id, user_id, consumer_generation, consumer_type."""
        found: Dict[str, Any] = self._placement.get(f"/allocations/{consumer}", "1.39")
        return found

    def provider_allocations(self, uuid: str) -> Dict[str, Dict[str, int]]:
        """{consumer: {class: amount}} on a provider."""
        found = self._of(uuid, "allocations")["allocations"]
        return {consumer: held["resources"] for consumer, held in found.items()}

    def _of(self, uuid: str, what: str) -> Any:
        return self._placement.get(f"/resource_providers/{uuid}/{what}")

    def _replace(self, uuid: str, what: str, value: Any) -> None:
        generation = self._of(uuid, what)["resource_provider_generation"]
        body = {what: value, "resource_provider_generation": generation}
        self._placement.call("PUT", f"/resource_providers/{uuid}/{what}", body)

    def _consumer_generation(self, consumer: str) -> Optional[int]:
        generation: Optional[int] = self.consumer(consumer).get("consumer_generation")
        return generation


def _is_custom(name: str) -> bool:
    return name.startswith("CUSTOM_")


def _allocations(
    resources: Mapping[str, Resources], project: str, user: str, generation: Optional[int]
) -> Dict[str, Any]:
    held = {provider: {"resources": dict(amounts)} for provider, amounts in resources.items()}
    return {"allocations": held, "project_id": project, "user_id": user, "consumer_generation": generation}
