"""The knowledge of a chat, completion or agent app, and how it is searched (contract dsl.md §2, `dataset_configs`)."""

from collections.abc import Iterable

import pydantic

from app.services.definitions.file_parts import ListOf, Switch, UncheckedPart
from app.workflow.asking.model_calls import NodeModel
from app.workflow.rules.retrieval_settings import MetadataConditionsConfig, RetrievalSettings


class DatasetReference(UncheckedPart):
    """A dataset that a file names by its id."""

    id: str = ""
    enabled: Switch = True


class DatasetEntry(UncheckedPart):
    """One entry of the list of datasets."""

    dataset: DatasetReference = DatasetReference.read({})


class DatasetList(UncheckedPart):
    """The list of datasets, which files wrap twice."""

    datasets: ListOf[DatasetEntry] = ()


class DatasetConfigs(UncheckedPart):
    """Which datasets an app searches, and how.

    `metadata_filtering_mode`: `manual` filters by the conditions, `automatic` by what the model finds in the question.
    """

    datasets: DatasetList = DatasetList.read({})
    metadata_filtering_mode: str = ""
    metadata_filtering_conditions: MetadataConditionsConfig = MetadataConditionsConfig()
    metadata_model_config: NodeModel | None = None

    @property
    def retrieval(self) -> RetrievalSettings:
        """The settings of the search; the usual ones where a setting cannot be read."""
        try:
            return RetrievalSettings.model_validate(self.stored)
        except pydantic.ValidationError:
            return RetrievalSettings()


def ids_in_use(references: Iterable[DatasetReference]) -> list[str]:
    """The datasets that are switched on, each once."""
    return list(dict.fromkeys(entry.id for entry in references if entry.enabled and entry.id))
