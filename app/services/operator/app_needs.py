"""What an app needs, as its file says, and what of it is missing here."""

from dataclasses import dataclass

from app.services.definitions.app_file import AppDefinition
from app.services.operator import apps
from app.services.operator.apps import AppDetails
from app.services.operator.missing_parts import models_asked, what_is_missing


@dataclass(frozen=True)
class NeededModel:
    """A model that an app asks; name and provider are empty where the default answers. `places`: who asks it."""

    name: str
    provider: str
    places: tuple[str, ...]


@dataclass(frozen=True)
class AppNeeds:
    """What an app names: models, tools as `provider/tool`, and datasets by the ids of its file."""

    models: tuple[NeededModel, ...]
    tools: tuple[str, ...]
    datasets: tuple[str, ...]


def needs_of(details: AppDetails) -> AppNeeds:
    """Return what an app's current definition names. Asks nobody."""
    definition = AppDefinition.read(details.definition)
    places: dict[tuple[str, str], list[str]] = {}
    for model, place in models_asked(definition):
        places.setdefault((model.name, model.provider), []).append(place)
    return AppNeeds(
        models=tuple(
            NeededModel(name, provider, tuple(dict.fromkeys(named))) for (name, provider), named in places.items()
        ),
        tools=tuple(f"{tool.provider}/{tool.name}" for tool in definition.tools()),
        datasets=tuple(definition.datasets()),
    )


def missing_of(code: str) -> list[str]:
    """Return a sentence for all that the app needs and cannot use now. Asks tool servers. Raises AppRefused."""
    details = apps.show(code)
    return what_is_missing(AppDefinition.read(details.definition), details.summary.id, code)
