"""`human-input`: a form for people; the run pauses until it is submitted or expires (contract human-input.md)."""

from typing import Any

import pydantic

from app.workflow.contracts.events import Result
from app.workflow.contracts.human_forms import (
    LINK,
    SUBMITTED,
    TIMEOUT,
    WAITING,
    FormDraft,
    FormMail,
    HumanForm,
    rendered,
)
from app.workflow.contracts.node import Node, NodeConfig, NodeContext
from app.workflow.failures import GraphInvalid, NodeFailed, NodePaused
from app.workflow.rules.form_shapes import UNIT_SECONDS, Action, Delivery, EmailConfig, Input, Paragraph, Select
from app.workflow.values.templates import empty, parse
from app.workflow.values.values import markdown_of, plain, text_of
from app.workflow.values.variables import MISSING, Variables


class HumanInputConfig(NodeConfig):
    """The configuration of a human-input node. `form_content`: Markdown with references and input placeholders."""

    form_content: str = ""
    inputs: tuple[Input, ...] = ()
    user_actions: tuple[Action, ...] = ()
    timeout: int = pydantic.Field(36, ge=1, le=100_000)
    timeout_unit: str = pydantic.Field("hour", pattern="^(hour|day)$")
    delivery_methods: tuple[Delivery, ...] = ()

    @pydantic.model_validator(mode="after")
    def _names_are_unique(self) -> "HumanInputConfig":
        for what, names in (
            ("output_variable_name", [field.output_variable_name for field in self.inputs]),
            ("id of an action", [action.id for action in self.user_actions]),
        ):
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"the {what} {twice!r} occurs twice")
        return self


class HumanInput(Node):
    """Asks people by a form. It runs twice: to pause the run with the form's draft, and to read the form.

    Outputs: the inputs by name, `__action_id`, `__action_value` and `__rendered_content`; handle: the action's id, or
    `__timeout`.
    """

    kind = "human-input"
    Config = HumanInputConfig
    branches = True

    def check(self) -> None:
        for mail in self._mails():
            if LINK not in mail.body:
                raise GraphInvalid(f"{self.name}: delivery_methods: the body of a mail must contain {LINK}")

    @property
    def own_handles(self) -> tuple[str, ...]:
        return (*(action.id for action in self.config.user_actions), TIMEOUT)

    def run(self, context: NodeContext) -> Result:
        if context.services.forms is None:
            raise NodeFailed("Human input is not available in this run.", "NotServed")
        form = context.services.forms.find(context.execution.id)
        if form is None:
            raise NodePaused({"draft": self._draft(context.variables)})
        if form.status == WAITING:
            raise NodePaused({})
        if form.status == SUBMITTED:
            return self._submitted(form, context)
        context.report("form_timeout", {"expiration_time": form.expires_at})
        outputs = {"__action_id": "", "__action_value": "", "__rendered_content": form.content}
        return Result(outputs, TIMEOUT)

    def _submitted(self, form: HumanForm, context: NodeContext) -> Result:
        title = next((action.title for action in self.config.user_actions if action.id == form.action_id), "")
        shapes = [field.model_dump(mode="json") for field in self.config.inputs]
        content = rendered(form.content, shapes, form.values)
        context.report(
            "form_filled",
            {
                "rendered_content": content,
                "action_id": form.action_id,
                "action_text": title,
                "submitted_data": plain(form.values),
            },
        )
        values = {
            field.output_variable_name: form.values.get(field.output_variable_name) for field in self.config.inputs
        }
        action = {"__action_id": form.action_id, "__action_value": title, "__rendered_content": content}
        return Result(values | action, form.action_id)

    def _draft(self, variables: Variables) -> FormDraft:
        config = self.config
        defaults: dict[str, Any] = {}
        inputs = []
        for field in config.inputs:
            shape = field.model_dump(mode="json")
            if isinstance(field, Paragraph) and field.default is not None and field.default.type == "variable":
                value = variables.get(field.default.selector)
                defaults[field.output_variable_name] = None if value is MISSING else plain(value)
            if isinstance(field, Select) and field.option_source.type == "variable":
                shape["option_source"]["value"] = self._options(field, variables)
            inputs.append(shape)
        content = parse(config.form_content).render(variables, markdown_of, missing=empty)
        in_page = any(method.enabled and method.type == "webapp" for method in config.delivery_methods)
        mails = [
            FormMail(_filled(mail.subject, variables), _filled(mail.body, variables), *_recipients(mail))
            for mail in self._mails()
        ]
        actions = [action.model_dump(mode="json") for action in config.user_actions]
        return FormDraft(
            content, inputs, actions, defaults, in_page, config.timeout * UNIT_SECONDS[config.timeout_unit], mails
        )

    def _options(self, field: Select, variables: Variables) -> list[str]:
        """Return the options that a variable holds. Raises NodeFailed unless it is an array of strings."""
        value = variables.require(field.option_source.selector)
        if not isinstance(value, list) or not all(isinstance(option, str) for option in value):
            raise NodeFailed(
                f"The options of {field.output_variable_name!r} must be an array of strings.", "FormOptionsError"
            )
        return value

    def _mails(self) -> list[EmailConfig]:
        """Return the configurations of the deliveries by mail. Raises GraphInvalid."""
        methods = [method for method in self.config.delivery_methods if method.enabled and method.type == "email"]
        try:
            return [EmailConfig.model_validate(method.config) for method in methods]
        except pydantic.ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            raise GraphInvalid(
                f"{self.name}: delivery_methods: {'.'.join(map(str, first['loc']))}: {first['msg']}"
            ) from None


def _filled(text: str, variables: Variables) -> str:
    return parse(text).render(variables, text_of, missing=empty)


def _recipients(mail: EmailConfig) -> tuple[list[str], list[str], bool]:
    """Return addresses, references to accounts, and whether all accounts of the app are recipients."""
    items = mail.recipients.items
    addresses = [item.email.strip() for item in items if item.type == "external" and item.email.strip()]
    members = [
        item.reference_id or item.user_id
        for item in items
        if item.type == "member" and (item.reference_id or item.user_id)
    ]
    return addresses, members, mail.recipients.whole_workspace or mail.recipients.include_bound_group
