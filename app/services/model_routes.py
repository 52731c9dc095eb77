"""The route table of this process, read once."""

from flask import current_app

from app.providers.routes import ModelRoutes


def model_routes() -> ModelRoutes:
    """Raises what ModelRoutes raises for a table that cannot be read."""
    extensions = current_app.extensions
    if "model_routes" not in extensions:
        extensions["model_routes"] = ModelRoutes.from_settings(current_app.config)
    routes: ModelRoutes = extensions["model_routes"]
    return routes
