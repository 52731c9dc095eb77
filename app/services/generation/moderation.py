"""Moderate what end users ask and what models answer: by keywords or an API extension (contract dsl.md §2.3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    """Reads one answer as it grows. Keeps how far it has read: one object per answer."""

    def check(self, text: str, whole: bool) -> str | None:
        """Return the text that takes the answer's place, or None. `whole`: nothing follows. Raises RunFailed."""


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
    _read: int = 0

    def check(self, text: str, whole: bool) -> str | None:
        longest = max(map(len, self.keywords), default=0)
        # Back by the longest keyword: one may have begun in what was read before.
        fresh = text[max(self._read - longest, 0) :].lower()
        self._read = len(text)
        return self.preset_response if any(word in fresh for word in self.keywords) else None


@dataclass
class ExtensionModerator:
    """Asks an API extension, every CHARACTERS_PER_REQUEST characters and at the end."""

    extension_id: str
    app_id: str
    preset_response: str
    _asked: int = field(default=0)

    def check(self, text: str, whole: bool) -> str | None:
        """Raises RunFailed."""
        if len(text) - self._asked < (1 if whole else CHARACTERS_PER_REQUEST):
            return None
        self._asked = len(text)
        answer = api_extensions.ask(self.extension_id, "app.moderation.output", {"app_id": self.app_id, "text": text})
        if not answer.get("flagged"):
            return None
        if answer.get("action") == "overridden":
            return str(answer.get("text", ""))
        return str(answer.get("preset_response") or self.preset_response)


def _keywords(settings: ModerationConfig) -> list[str]:
    """Return the keywords, one a line, in lower case."""
    return [word.strip().lower() for word in settings.keywords.split("\n") if word.strip()]


def _preset(rules: ModerationRules) -> str:
    return rules.preset_response or DEFAULT_RESPONSE
