"""Visit an app with the generated client `web_api` of this folder: `visit.py ADDRESS CODE`. Prints what it saw."""

import io
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path.cwd()))

from web_api.api.web import (  # type: ignore[import-not-found]
    delete_conversation,
    get_conversations,
    get_messages,
    get_passport,
    get_site,
    post_chat_messages,
    post_file_upload,
)
from web_api.client import AuthenticatedClient, Client  # type: ignore[import-not-found]
from web_api.models import (  # type: ignore[import-not-found]
    ChatMessagePayload,
    ChatMessagePayloadInputs,
    ChatMessagePayloadResponseModeType0,
    MessageDeltaEvent,
    MessageEndEvent,
    PostFileUploadBody,
)
from web_api.types import File  # type: ignore[import-not-found]


def visit(address: str, code: str) -> dict[str, object]:
    base = f"{address}/api"
    passport = get_passport.sync(client=Client(base_url=base), x_app_code=code)
    client = AuthenticatedClient(
        base_url=base, token=passport.access_token, prefix="", auth_header_name="X-App-Passport", timeout=30
    )
    assert get_site.sync(client=client).site.title
    question = ChatMessagePayload(
        inputs=ChatMessagePayloadInputs(), query="Hi", response_mode=ChatMessagePayloadResponseModeType0.STREAMING
    )
    text, conversation_id = "", ""
    # Generators know no streams: the request is the client's, the reading is by hand, each event by its shape.
    with client.get_httpx_client().stream("POST", "/chat-messages", json=question.to_dict()) as stream:
        for line in stream.iter_lines():
            event = json.loads(line[6:]) if line.startswith("data: ") else {}
            if event.get("event") == "message":
                text += MessageDeltaEvent.from_dict(event).answer
            elif event.get("event") == "message_end":
                conversation_id = MessageEndEvent.from_dict(event).conversation_id
    question.query, question.conversation_id = "Again", conversation_id
    question.response_mode = ChatMessagePayloadResponseModeType0.BLOCKING
    assert post_chat_messages.sync(client=client, body=question).answer == text
    body = PostFileUploadBody(file=File(io.BytesIO(b"hello"), "note.txt", "text/plain"))
    uploaded = post_file_upload.sync(client=client, body=body)
    history = get_messages.sync(client=client, conversation_id=conversation_id)
    before = get_conversations.sync(client=client)
    delete_conversation.sync_detailed(conversation_id, client=client)
    after = get_conversations.sync(client=client)
    gone = get_messages.sync(client=client, conversation_id=conversation_id)
    return {
        "answer": text,
        "history": [message.query for message in history.data],
        "uploaded": uploaded.name,
        "conversations": len(before.data),
        "left": len(after.data),
        "error": gone.code,
    }


if __name__ == "__main__":
    print(json.dumps(visit(*sys.argv[1:])))
