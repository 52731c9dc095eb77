"""Bodies of speech and transcription."""

from pydantic import ConfigDict, Field
from typing_extensions import TypeAliasType

from app.api.schemas.common import Body, OptionalUuid

AudioBinaryResponse = TypeAliasType("AudioBinaryResponse", str)


class AudioTranscriptResponse(Body):
    text: str


class TextToAudioPayload(Body):
    model_config = ConfigDict(json_schema_extra={"example": {"text": "Good morning!"}})

    message_id: OptionalUuid = Field(None, description="Message ID")
    text: str | None = Field(None, description="Text to convert to audio")
    voice: str | None = Field(None, description="Voice to use for TTS")
    streaming: bool | None = Field(None, description="Enable streaming response")
