"""Apps for tests. What a test does not name has a plain value."""

import secrets
from typing import Any

from app.services.definitions import published_apps
from app.services.definitions.published_apps import PublishedApp
from app.services.operator import apps
from app.services.operator.app_files import AppFile


def chat_definition(**model_config: Any) -> dict[str, Any]:
    """A whole app file of mode chat; the arguments replace keys of its model config."""
    config = {
        "model": {"provider": "openai", "name": "scripted", "mode": "chat", "completion_params": {}},
        "pre_prompt": "You are a helpful assistant.",
        "prompt_type": "simple",
        "user_input_form": [],
    }
    section = {"name": "Plain chat", "mode": "chat", "icon": "🤖", "icon_background": "#FFEAD5", "description": ""}
    return {"version": "0.6.0", "kind": "app", "app": section, "model_config": config | model_config}


def make_app(mode: str = "chat", **model_config: Any) -> PublishedApp:
    """Publish a new app with a code of its own. The file is not checked: broken ones can be made too."""
    definition = chat_definition(**model_config)
    definition["app"]["mode"] = mode
    return publish(definition, f"test-{secrets.token_hex(8)}")


def publish(definition: dict[str, Any], code: str) -> PublishedApp:
    """Publish a definition under a code, new or again."""
    section = definition["app"]
    apps.publish(AppFile(section["mode"], section["name"], definition, []), code)
    app = published_apps.by_code(code)
    assert app is not None
    return app


def make_graph_app(
    graph: dict[str, Any], mode: str = "workflow", version: str = "0.6.0", **workflow: Any
) -> PublishedApp:
    """Publish a new workflow or chatflow of a graph; the other arguments replace keys of its `workflow`.

    `version`: that of the file's format.
    """
    section = {"name": "Graph", "mode": mode, "icon": "🤖", "icon_background": "#FFEAD5", "description": ""}
    whole = {"graph": graph, "features": {}, "environment_variables": [], "conversation_variables": []} | workflow
    definition = {"version": version, "kind": "app", "app": section, "workflow": whole}
    return publish(definition, f"test-{secrets.token_hex(8)}")
