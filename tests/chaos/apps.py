"""The apps that callers use, one of each mode, and what the model says in them."""

import json
import pathlib
from typing import Any

from tests.support.factories import chat_definition
from tests.support.stack import CHAT_APP, COMPLETION_APP, Stack
from tests.support.workflow.forms import human, paragraph
from tests.support.workflow.graphs import answer, app_file, end, graph, node, start

CHAT, COMPLETION, AGENT, CHATFLOW, WORKFLOW, APPROVAL = (
    "chat",
    "completion",
    "agent",
    "chatflow",
    "workflow",
    "approval",
)
MODES = (CHAT, COMPLETION, AGENT, CHATFLOW, WORKFLOW, APPROVAL)
# Those whose end users can list their conversations, and so find an answer of which they have no id.
WITH_HISTORY = (CHAT, AGENT, CHATFLOW)
WITH_RUN = (CHATFLOW, WORKFLOW, APPROVAL)
CALL = '[[call:calculator {"expression": "2 * 21"}]]'
# What the scripted model says beside a call.
ASKING = "Asking calculator."
COMMENT = "fine"


def import_apps(stack: Stack) -> dict[str, str]:
    """Publish an app of each mode; returns their codes by mode."""
    files: dict[str, pathlib.Path] = {CHAT: CHAT_APP, COMPLETION: COMPLETION_APP}
    made = {
        AGENT: json.dumps(_agent(), ensure_ascii=False),
        CHATFLOW: app_file(_two_models("sys.query", answer("{{#one.text#}} {{#two.text#}}")), "advanced-chat", "Two"),
        WORKFLOW: app_file(_two_models("start.text", end(**_texts())), "workflow", "Two"),
        APPROVAL: app_file(_approval(), "workflow", "Approval"),
    }
    for mode, text in made.items():
        files[mode] = stack.directory / f"{mode}.yml"
        files[mode].write_text(text)
    # In one command: each start of one takes seconds.
    imported = json.loads(stack.run("flask", "--app", "wsgi", "apps", "import", *map(str, files.values()), "--json"))
    return {mode: app["code"] for mode, app in zip(files, imported, strict=True)}


def expected_text(mode: str, said: str) -> str:
    """Return the answer, or the outputs as JSON, of an app whose model says this each time it is asked."""
    match mode:
        case "agent":
            return f"{ASKING}\n{said}"
        case "chatflow":
            return f"{said} {said}"
        case "workflow":
            return outputs_text({"one": said, "two": said})
        case "approval":
            return outputs_text({"draft": said, "comment": COMMENT, "final": said})
    return said


def outputs_text(outputs: dict[str, Any] | None) -> str:
    return json.dumps(outputs, sort_keys=True)


def _agent() -> dict[str, Any]:
    tool = {
        "enabled": True,
        "provider_id": "calculator",
        "provider_name": "calculator",
        "provider_type": "builtin",
        "tool_name": "calculator",
        "tool_parameters": {},
    }
    mode = {"enabled": True, "strategy": "function_call", "max_iteration": 3, "tools": [tool]}
    definition = chat_definition(agent_mode=mode)
    definition["app"]["mode"] = "agent-chat"
    return definition


def _llm(name: str, variable: str) -> dict[str, Any]:
    prompt = [{"role": "user", "text": f"{{{{#{variable}#}}}}"}]
    model = {"provider": "openai", "name": "scripted", "mode": "chat", "completion_params": {}}
    return node(name, "llm", model=model, prompt_template=prompt, context={"enabled": False})


def _texts() -> dict[str, list[str]]:
    return {"one": ["one", "text"], "two": ["two", "text"]}


def _two_models(variable: str, last: dict[str, Any]) -> dict[str, Any]:
    begin = start() if variable == "sys.query" else start(text="paragraph")
    return graph(begin, _llm("one", variable), _llm("two", variable), last, f"start > one > two > {last['id']}")


def _approval() -> dict[str, Any]:
    asks = human("ask", "yes", "no", content="{{#draft.text#}}", inputs=[paragraph("comment")])
    outputs = end(draft=["draft", "text"], comment=["ask", "comment"], final=["final", "text"])
    paths = ["start > draft > ask:yes > final > end", "ask:no > end", "ask:__timeout > end"]
    drafts = [_llm(name, "start.text") for name in ("draft", "final")]
    return graph(start(text="paragraph"), *drafts, asks, outputs, *paths)
