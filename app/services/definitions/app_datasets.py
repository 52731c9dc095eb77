"""Which knowledge an app names (contract dsl.md §2, `dataset_configs`; §3.7, knowledge-retrieval)."""

import uuid
from collections.abc import Mapping
from typing import Any

from app.models.datasets import list_known_dataset_ids
from app.services.definitions.app_configs import dataset_ids
from app.workflow.contracts.knowledge import NODE_KIND


def datasets_of(definition: Mapping[str, Any]) -> list[str]:
    """The ids that the file names, each once."""
    found = dataset_ids(_mapping(definition.get("model_config")))
    nodes = _mapping(_mapping(definition.get("workflow")).get("graph")).get("nodes")
    for node in nodes if isinstance(nodes, list) else []:
        data = _mapping(_mapping(node).get("data"))
        if data.get("type") == NODE_KIND and isinstance(data.get("dataset_ids"), list):
            found += [entry for entry in data["dataset_ids"] if isinstance(entry, str) and entry]
    return list(dict.fromkeys(found))


def unbound(app_id: uuid.UUID, code: str, definition: Mapping[str, Any]) -> list[str]:
    """A sentence for each dataset of the app that is none here, and what makes it one."""
    wanted = [dataset_id.replace("\0", "") for dataset_id in datasets_of(definition)]
    if not wanted:
        return []
    known = list_known_dataset_ids(app_id, wanted)
    return [
        f"The dataset {dataset_id} is not known here, and answers do without it: `flask --app wsgi datasets bind {code} {dataset_id} DATASET`."
        for dataset_id in wanted
        if dataset_id not in known
    ]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
