"""Which knowledge an app names (contract dsl.md §2, `dataset_configs`; §3.7, knowledge-retrieval)."""

import uuid

from app.models.datasets import list_known_dataset_ids
from app.services.definitions.app_file import AppDefinition


def unbound(app_id: uuid.UUID, code: str, definition: AppDefinition) -> list[str]:
    """Return a sentence for each dataset of the app that is not known here: what follows, and what to do."""
    wanted = [dataset_id.replace("\0", "") for dataset_id in definition.datasets()]
    if not wanted:
        return []
    known = list_known_dataset_ids(app_id, wanted)
    return [
        f"The dataset {dataset_id} is not known here, and answers do without it:"
        f" `flask --app wsgi datasets bind {code} {dataset_id} DATASET`."
        for dataset_id in wanted
        if dataset_id not in known
    ]
