"""What this process reaches the world outside with: files, servers that others name, model servers, the sandbox.

Each function is called inside an app's context; what it returns works outside of one too.
"""

from typing import TYPE_CHECKING

import structlog
from flask import current_app

from app.providers.confinement import suffices
from app.providers.confinement.probe import offered_fences
from app.providers.fetch.guarded_http import GuardedHttp
from app.providers.fetch.public_addresses import AllowedAddresses
from app.providers.file_storage import FileStorage
from app.providers.models.route_file import AudioSettings, EmbeddingSettings
from app.providers.models.routes import ModelRoutes
from app.services.process.process_parts import process_parts

if TYPE_CHECKING:
    from app.providers.sandbox import Sandbox

log = structlog.get_logger(__name__)


def storage() -> FileStorage:
    """Return the file storage at STORAGE_URL. It connects on first use."""
    return process_parts().get(FileStorage, lambda: FileStorage(current_app.config["STORAGE_URL"]))


def guarded_http() -> GuardedHttp:
    """Return the HTTP client for every address that an end user, an app file or another server names."""
    settings = current_app.config
    return process_parts().get(
        GuardedHttp, lambda: GuardedHttp(AllowedAddresses(settings["FETCH_TRUSTED"]), settings["OUTGOING"])
    )


def model_routes() -> ModelRoutes:
    """Return the route table with its connections to model servers. Raises InvalidOperatorFile."""
    return process_parts().get(ModelRoutes, _read_model_routes, ModelRoutes.close)


def sandbox() -> "Sandbox":
    """Return the sandbox. It starts its processes on first use and keeps them."""
    # Imported here: web processes run nothing in it.
    from app.providers.sandbox import Sandbox

    return process_parts().get(Sandbox, lambda: Sandbox(current_app.config["CODE_PACKAGES"]), Sandbox.close)


def warn_of_missing_fences() -> None:
    """Log a warning where this host offers too few defences for Python code that needs CPython."""
    fences = offered_fences()
    if not suffices(fences):
        log.warning("sandbox.too_few_fences", offered=sorted(fences))


def _read_model_routes() -> ModelRoutes:
    settings = current_app.config
    return ModelRoutes.from_settings(
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
        embedding=EmbeddingSettings(
            settings["EMBEDDING_BASE_URL"], settings["EMBEDDING_API_KEY"], settings["EMBEDDING_MODEL"]
        ),
        context=settings["MODEL_CONTEXT"],
        connect_timeout=settings["MODEL_CONNECT_TIMEOUT"],
        read_timeout=settings["MODEL_READ_TIMEOUT"],
        retries=settings["MODEL_RETRIES"],
        outgoing=settings["OUTGOING"],
    )
