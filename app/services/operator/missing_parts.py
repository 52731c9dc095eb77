"""Say what an app needs that this installation lacks: packages, modules for its code, models, tools, datasets."""

import uuid
from collections.abc import Iterator

from flask import current_app

from app.models.datasets import list_known_dataset_ids
from app.providers.operator_files import InvalidOperatorFile
from app.services.definitions.app_file import AppDefinition
from app.services.definitions.app_requirements import not_installed
from app.services.definitions.model_config import ModelChoice
from app.services.definitions.workflow_config import AgentData
from app.services.operator.author_code import code_problems
from app.services.process.providers import model_routes
from app.services.process.tool_registry import unresolved

# Nodes that cannot run without a model.
_ASKING = ("llm", "question-classifier", "parameter-extractor")


def what_is_missing(
    definition: AppDefinition, app_id: uuid.UUID | None = None, code: str = "CODE", *, datasets: bool = True
) -> list[str]:
    """Return a sentence for all that the app names and cannot use now, or that cannot run. Asks tool servers.

    `app_id` and `code` are those of the published app; without them the bindings of datasets are not known. Without
    `datasets` no database is asked.
    """
    return [
        *not_installed(definition),
        *code_problems(definition, current_app.config["CODE_PACKAGES"]),
        *_unanswered(definition),
        *unresolved(definition),
        *(_unbound(definition, app_id, code) if datasets else ()),
    ]


def _unanswered(definition: AppDefinition) -> Iterator[str]:
    """Yield what keeps the app's models from answering, each model once."""
    asking: dict[tuple[str, str, str], list[str]] = {}
    for model, place in models_asked(definition):
        asking.setdefault((model.provider, model.name, model.mode), []).append(place)
    try:
        routes = model_routes()
    except InvalidOperatorFile as invalid:
        yield str(invalid)
        return
    for (provider, name, mode), places in asking.items():
        problem = routes.chat_problem(provider, name, mode)
        where = ", ".join(dict.fromkeys(places))
        if not name:
            answers = (
                f"and {problem}: set MODEL_NAME, or a default in MODELS_FILE" if problem else "the default answers"
            )
            yield f"No model is named ({where}): {answers}."
        elif problem:
            yield (
                f"The model {name!r} of {provider or 'no provider'!r} cannot be asked ({where}): {problem}. Set"
                " OPENAI_BASE_URL, or add a line for it or a default to MODELS_FILE."
            )


def models_asked(definition: AppDefinition) -> Iterator[tuple[ModelChoice, str]]:
    """Yield the models that an app asks, and where its file names each."""
    if definition.model_config_ is not None and definition.workflow is None:
        yield definition.model_config_.model, "model_config.model"
    for node in definition.workflow.graph.nodes if definition.workflow is not None else ():
        data = node.data
        place = f"node {data.stored.get('title') or node.stored.get('id')!r}"
        if data.stored.get("type") in _ASKING:
            yield data.model, place
        elif isinstance(data, AgentData):
            chosen = data.agent_parameters.model.value
            yield chosen.model_copy(update={"name": chosen.name or str(chosen.stored.get("model") or "")}), place


def _unbound(definition: AppDefinition, app_id: uuid.UUID | None, code: str) -> list[str]:
    wanted = [dataset_id.replace("\0", "") for dataset_id in definition.datasets()]
    known = list_known_dataset_ids(app_id or uuid.UUID(int=0), wanted) if wanted else ()
    return [
        f"The dataset {dataset_id} is not known here, and answers do without it:"
        f" `.venv/bin/flask --app wsgi datasets bind {code} {dataset_id} DATASET`."
        for dataset_id in wanted
        if dataset_id not in known
    ]
