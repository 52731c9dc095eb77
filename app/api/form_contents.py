"""The forms of a message as its history shows them (contract human-input.md §9)."""

from app.api.schemas.human_input import (
    HumanInputContent,
    HumanInputFormDefinition,
    HumanInputFormSubmissionData,
    form_input,
)
from app.models.forms import FormRow
from app.services.events import form_views


def form_contents(forms: list[FormRow]) -> list[HumanInputContent]:
    """One block for each form."""
    return [_content(form) for form in forms]


def _content(form: FormRow) -> HumanInputContent:
    asked = form_views.required(form)
    inputs = [form_input(shape) for shape in asked.pop("inputs")]
    submitted = form_views.submission(form)
    return HumanInputContent(
        workflow_run_id=form.run_id,
        submitted=submitted is not None,
        form_definition=HumanInputFormDefinition(inputs=inputs, **asked),
        form_submission_data=None if submitted is None else HumanInputFormSubmissionData(**submitted),
    )
