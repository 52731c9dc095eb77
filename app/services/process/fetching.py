"""The guarded way out of this process."""

from flask import current_app

from app.providers.fetch.guarded_http import GuardedHttp
from app.providers.fetch.public_addresses import AllowedAddresses


def guarded_http() -> GuardedHttp:
    """For every address that a visitor, an app file or another server names. To be taken inside an app's context."""
    extensions = current_app.extensions
    if "guarded_http" not in extensions:
        extensions["guarded_http"] = GuardedHttp(AllowedAddresses(current_app.config["FETCH_TRUSTED"]))
    known: GuardedHttp = extensions["guarded_http"]
    return known
