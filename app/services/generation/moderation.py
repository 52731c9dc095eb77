"""Moderate what end users ask and what models answer: by keywords or an API extension (contract dsl.md §2.3)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from app.services.definitions.features import FeatureSet, ModerationConfig, ModerationRules
from app.services.generation import api_extensions

# So many characters more, and an extension is asked again.
CHARACTERS_PER_REQUEST = 300
DEFAULT_RESPONSE = "The content is not allowed."


@dataclass(frozen=True)
class ModerationResult:
    """What becomes of a question: answered by `preset_response`, or asked with these inputs and this query."""

    inputs: Mapping[str, Any]
    query: str
    preset_response: str | None = None


class AnswerModerator(Protocol):
    """Reads one answer as it grows: one object per answer."""

    def check(self, grown_by: str, text: Callable[[], str], whole: bool) -> str | None:
        """Return the text that takes the answer's place, or None. Raises RunFailed.

        `grown_by`: what was added since the last call; `text`: returns the whole text; `whole`: nothing follows.
        """

    def restart(self) -> None:
        """Another text takes the answer's place: what was read counts no more."""

    def aside(self) -> "AnswerModerator":
        """Return a moderator for another text, by the same rules."""


def moderate_question(features: FeatureSet, app_id: str, inputs: Mapping[str, Any], query: str) -> ModerationResult:
    """Moderate the inputs and the query of a message. Raises RunFailed where the app's extension fails."""
    feature = features.sensitive_word_avoidance
    settings, rules = feature.config, feature.config.inputs_config
    passed = ModerationResult(inputs, query)
    if not (feature.enabled and rules.enabled):
        return passed
    if feature.type == "keywords":
        texts = [query, *(str(value) for value in inputs.values() if value is not None)]
        hit = any(word in text.lower() for word in _keywords(settings) for text in texts)
        return ModerationResult(inputs, query, _preset(rules)) if hit else passed
    if feature.type != "api":
        return passed
    answer = api_extensions.ask(
        settings.api_based_extension_id,
        "app.moderation.input",
        {"app_id": app_id, "inputs": dict(inputs), "query": query},
    )
    if not answer.get("flagged"):
        return passed
    if answer.get("action") == "overridden":
        cleaned = answer.get("inputs")
        return ModerationResult(
            {**inputs, **cleaned} if isinstance(cleaned, dict) else inputs, str(answer.get("query", query))
        )
    return ModerationResult(inputs, query, str(answer.get("preset_response") or _preset(rules)))


def answer_moderator(features: FeatureSet, app_id: str) -> AnswerModerator | None:
    """Return what moderates an answer of this app; None where nothing does."""
    feature = features.sensitive_word_avoidance
    settings, rules = feature.config, feature.config.outputs_config
    if not (feature.enabled and rules.enabled):
        return None
    if feature.type == "keywords":
        return KeywordModerator(_keywords(settings), _preset(rules))
    if feature.type == "api":
        return ExtensionModerator(settings.api_based_extension_id, app_id, _preset(rules))
    return None


@dataclass
class KeywordModerator:
    """Looks for keywords; reads each piece of an answer once."""

    keywords: list[str]
    preset_response: str
    _end: str = ""

    def check(self, grown_by: str, text: Callable[[], str], whole: bool) -> str | None:
        # A keyword may have begun in what was read before.
        fresh = self._end + grown_by.lower()
        self._end = fresh[-max(map(len, self.keywords), default=1) :]
        return self.preset_response if any(word in fresh for word in self.keywords) else None

    def restart(self) -> None:
        self._end = ""

    def aside(self) -> AnswerModerator:
        return KeywordModerator(self.keywords, self.preset_response)


@dataclass
class ExtensionModerator:
    """Asks an API extension, every CHARACTERS_PER_REQUEST characters and at the end."""

    extension_id: str
    app_id: str
    preset_response: str
    _unread: int = 0

    def check(self, grown_by: str, text: Callable[[], str], whole: bool) -> str | None:
        """Raises RunFailed."""
        self._unread += len(grown_by)
        if self._unread < (1 if whole else CHARACTERS_PER_REQUEST):
            return None
        self._unread = 0
        answer = api_extensions.ask(self.extension_id, "app.moderation.output", {"app_id": self.app_id, "text": text()})
        if not answer.get("flagged"):
            return None
        if answer.get("action") == "overridden":
            return str(answer.get("text", ""))
        return str(answer.get("preset_response") or self.preset_response)

    def restart(self) -> None:
        self._unread = 0

    def aside(self) -> AnswerModerator:
        return ExtensionModerator(self.extension_id, self.app_id, self.preset_response)


def _keywords(settings: ModerationConfig) -> list[str]:
    """Return the keywords, one a line, in lower case."""
    return [word.strip().lower() for word in settings.keywords.split("\n") if word.strip()]


def _preset(rules: ModerationRules) -> str:
    return rules.preset_response or DEFAULT_RESPONSE
