"""The commands of `nova_rows` that concern servers. Runs inside the nova environment."""

from __future__ import annotations

import datetime
from typing import Any, Dict, List, Optional

from nova import objects
from nova.db.api import models as api_models
from nova.db.main import api as main_database
from nova.db.main import models
from nova.network import model as network_model
from nova_cells import Cells

FLAVOR_FIELDS = {"vcpus": "vcpus", "memory_mb": "memory_mb", "root_gb": "disk_gb", "ephemeral_gb": "ephemeral_gb"}


def now() -> datetime.datetime:
    """UTC without a zone, as Nova's columns have it."""
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


class ServerRows:
    """Servers with their mappings, actions and request specs."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells

    def server(self, uuid: str, cell: str, spec: bool, **options: Any) -> None:
        """A server that is in a cell, with its mapping, its `create` action, and its request spec if asked for."""
        context = self.cells.contexts[cell]
        instance = self._instance(context, uuid, **options)
        instance.create()
        self._map_server(instance, self.cells.mappings[cell])
        if spec:
            self._request_spec(instance).create()
        self.action(uuid, cell, "create", instance.user_id, instance.project_id)

    def copy_server(self, uuid: str, copies: List[str], cell: str) -> None:
        """More servers that are like this one in everything but their UUIDs; a hundred times as fast as `server`."""
        context = self.cells.contexts[cell]
        for model in (models.Instance, models.InstanceIdMapping):
            _copy_rows(context, model, "uuid", uuid, copies)
        for model in (
            models.InstanceExtra, models.InstanceInfoCache, models.InstanceSystemMetadata, models.InstanceAction
        ):
            _copy_rows(context, model, "instance_uuid", uuid, copies)
        _copy_rows(self.cells.api, api_models.InstanceMapping, "instance_uuid", uuid, copies)

    def unscheduled_server(self, uuid: str, **options: Any) -> None:
        """A server that is still a build request, in no cell."""
        options.update(host=None, node=None, vm_state="building", task_state="scheduling")
        instance = _complete(self._instance(self.cells.api, uuid, **options))
        objects.BuildRequest(
            self.cells.api, instance=instance, instance_uuid=uuid, project_id=instance.project_id,
            block_device_mappings=objects.BlockDeviceMappingList(objects=[]), tags=objects.TagList(objects=[]),
        ).create()
        self._map_server(instance, None)

    def set_server(self, uuid: str, cell: str, **fields: Any) -> None:
        """Any column; system_metadata and the flavor's amounts are merged into what is there."""
        context = self.cells.contexts[cell]
        instance = objects.Instance.get_by_uuid(context, uuid, expected_attrs=["flavor", "system_metadata"])
        instance.system_metadata = dict(instance.system_metadata, **fields.pop("system_metadata", {}))
        for column, amount in FLAVOR_FIELDS.items():
            if amount in fields:
                instance[column] = instance.flavor[column] = fields.pop(amount)
        for name, value in fields.items():
            setattr(instance, name, value)
        if "node" in fields or "host" in fields:
            instance.compute_id = self.node_id(context, instance.host, instance.node)
        instance.save()

    def delete_server(self, uuid: str, cell: str) -> None:
        """As nova deletes: the row and its migrations are soft-deleted, the actions and the mapping stay."""
        context = self.cells.contexts[cell]
        instance = objects.Instance.get_by_uuid(context, uuid)
        instance.vm_state, instance.task_state, instance.terminated_at = "deleted", None, now()
        instance.save()
        self.action(uuid, cell, "delete", instance.user_id, instance.project_id)
        instance.destroy()
        mapping = objects.InstanceMapping.get_by_instance_uuid(self.cells.api, uuid)
        mapping.queued_for_delete = True
        mapping.save()

    def forget_servers(self) -> None:
        """All servers and migrations are soft-deleted, in one statement for each kind."""
        for cell in self.cells.seen():
            with self.cells.transaction(cell) as context:
                for model in (models.Instance, models.Migration):
                    alive = context.session.query(model).filter(model.deleted == 0)
                    alive.update({"deleted": model.id, "deleted_at": now()}, synchronize_session=False)
                mappings = self.cells.api.session.query(api_models.InstanceMapping)
                mappings.update({"queued_for_delete": True}, synchronize_session=False)
                self.cells.api.session.query(api_models.BuildRequest).delete(synchronize_session=False)

    def archive_server(self, uuid: str, cell: str) -> None:
        """As archived and purged: Nova knows nothing of the server any more."""
        context = self.cells.contexts[cell]
        with main_database.get_context_manager(context).writer.using(context):
            context.session.query(models.Instance).filter_by(uuid=uuid).update({"deleted": 0})
        main_database.instance_destroy(context, uuid, hard_delete=True)
        objects.InstanceMapping.get_by_instance_uuid(self.cells.api, uuid).destroy()

    def action(self, uuid: str, cell: str, action: str, user_id: str, project_id: str) -> None:
        """A row of the server's actions."""
        context = self.cells.contexts[cell]
        values = objects.InstanceAction.pack_action_start(context, uuid, action)
        main_database.action_start(context, dict(values, user_id=user_id, project_id=project_id))

    def node_id(self, context: Any, host: Optional[str], node: Optional[str]) -> Optional[int]:
        """The id of a node; None where there is none."""
        with main_database.get_context_manager(context).writer.using(context):  # joins the command's transaction
            query = context.session.query(models.ComputeNode.id)
            return query.filter_by(host=host, hypervisor_hostname=node, deleted=0).scalar()

    def _instance(self, context: Any, uuid: str, **options: Any) -> Any:
        amounts = {column: options.pop(amount) for column, amount in FLAVOR_FIELDS.items()}
        flavor = _flavor(amounts)
        instance = objects.Instance(context, uuid=uuid, flavor=flavor, instance_type_id=1, **amounts)
        instance.update(options)
        instance.update({"hostname": options["display_name"], "launched_at": now(), "image_ref": ""})
        instance.compute_id = self.node_id(context, options["host"], options["node"])
        instance.info_cache = objects.InstanceInfoCache(
            context, instance_uuid=uuid, network_info=network_model.NetworkInfo()
        )
        return instance

    def _map_server(self, instance: Any, mapping: Any) -> None:
        objects.InstanceMapping(
            self.cells.api, instance_uuid=instance.uuid, project_id=instance.project_id,
            user_id=instance.user_id, queued_for_delete=False, cell_mapping=mapping,
        ).create()

    def _request_spec(self, instance: Any) -> Any:
        no_devices = objects.InstancePCIRequests(instance_uuid=instance.uuid, requests=[])
        return objects.RequestSpec.from_components(
            self.cells.api, instance.uuid, {}, instance.flavor, None, no_devices, {}, None, None,
            project_id=instance.project_id, user_id=instance.user_id,
        )


def _copy_rows(context: Any, model: Any, column: str, uuid: str, copies: List[str]) -> None:
    table = model.__table__
    rows = context.session.execute(table.select().where(table.c[column] == uuid)).mappings().all()
    new = [{**row, column: copy} for row in rows for copy in copies]
    for row in new:
        del row["id"]
    if new:
        context.session.execute(table.insert(), new)


def _complete(instance: Any) -> Any:
    """All fields that a list shows: what is in no cell's database cannot be read later."""
    instance.metadata = {}
    instance.obj_set_defaults()
    for name, field in instance.fields.items():
        if field.nullable and not instance.obj_attr_is_set(name):
            setattr(instance, name, None)
    return instance


def _flavor(amounts: Dict[str, int]) -> Any:
    name = "m1.{vcpus}-{memory_mb}-{root_gb}".format(**amounts)
    return objects.Flavor(
        id=1, flavorid=name, name=name, swap=0, rxtx_factor=1.0, vcpu_weight=0, disabled=False, is_public=True,
        extra_specs={}, description=None, **amounts,
    )
