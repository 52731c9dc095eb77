"""The route table of this process, read once."""

from flask import current_app

from app.providers.models.routes import AudioSettings, ModelRoutes


def model_routes() -> ModelRoutes:
    """Raises InvalidModelsFile for a table that cannot be read."""
    extensions, settings = current_app.extensions, current_app.config
    if "model_routes" not in extensions:
        routes = ModelRoutes.from_settings(
            settings["MODELS_FILE"],
            settings["OPENAI_BASE_URL"],
            settings["OPENAI_API_KEY"],
            settings["MODEL_NAME"],
            settings["ENVIRONMENT"],
            audio=AudioSettings(
                settings["AUDIO_BASE_URL"],
                settings["AUDIO_API_KEY"],
                settings["SPEECH_MODEL"],
                settings["TRANSCRIPTION_MODEL"],
                tuple(settings["SPEECH_VOICES"]),
            ),
            context=settings["MODEL_CONTEXT"],
            connect_timeout=settings["MODEL_CONNECT_TIMEOUT"],
            read_timeout=settings["MODEL_READ_TIMEOUT"],
        )
        # One table for all threads: it holds the connections.
        extensions.setdefault("model_routes", routes)
    known: ModelRoutes = extensions["model_routes"]
    return known
