/** One run at a time: the form, the button that runs and stops, and the results below each other. */

import { silence } from "../answers/speech.js";
import { button } from "../core/controls.js";
import { h } from "../core/dom.js";
import { announce, wordsOf } from "../core/notices.js";
import { t } from "../core/texts.js";
import { attachmentsField } from "../forms/attachments.js";
import { dropDraft, keepDraft, readDraft } from "../forms/drafts.js";
import { humanForm } from "../forms/human_form.js";
import { inputsForm } from "../forms/inputs.js";
import { appUploads, formCalls } from "../forms/uploads.js";
import { runActions } from "./answer_actions.js";
import { keepLinksFresh } from "./file_links.js";
import { isOver } from "./run_state.js";
import { RunSession } from "./run_session.js";
import { runView } from "./run_view.js";

/** Make the part of the page. Runs of earlier visits are read on at once. */
export function singleRun(page, { savedChanged }) {
  const draftName = `inputs:${page.desk.code}:${location.search}`;
  const form = inputsForm(page.parameters.user_input_form, {
    values: { ...page.handed.inputs, ...readDraft(draftName) },
    files: page.parameters.system_parameters,
    upload: appUploads(page.desk),
  });
  const attachments = attachmentsField(page.parameters.file_upload, {
    limits: page.parameters.system_parameters,
    upload: appUploads(page.desk),
  });
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const run = button(t("run.run"), () => begin(), { kind: "primary", class: "button button-primary run-button" });
  const clear = button(t("run.clear"), () => clearForm(), { kind: "ghost", hidden: form.empty });
  const results = h("section", { class: "run-results", "aria-label": t("run.results") });
  const element = h(
    "div",
    { class: "run-once" },
    h(
      "form",
      { class: "run-form", novalidate: true, onsubmit: (event) => event.preventDefault(), onkeydown: runByKey },
      [
        form.empty && !attachments ? h("p", { class: "nothing" }, t("run.noInputs")) : form.element,
        attachments?.element,
        problem,
        h("div", { class: "run-buttons" }, run, clear),
      ],
    ),
    results,
  );
  let current = null;

  form.onchange = () => keepDraft(draftName, typedValues(form.values()));
  /** Enter runs from a line of text, and with Ctrl from wherever it would begin a new line. */
  function runByKey(event) {
    if (event.key !== "Enter" || event.isComposing || current) return;
    if (event.target.matches("input[type=text]") || event.ctrlKey || event.metaKey) begin();
  }

  const say = (text) => {
    problem.textContent = text;
    problem.hidden = !text;
  };
  const showButton = () => {
    run.textContent = t(current ? "common.stop" : results.children.length ? "run.runAgain" : "run.run");
    run.classList.toggle("button-primary", !current);
    run.classList.toggle("button-danger", Boolean(current));
  };

  async function begin() {
    if (current) return current.stop();
    say("");
    if (!form.validate() || attachments?.check() === false) return undefined;
    const inputs = form.values();
    const files = attachments?.get();
    silence();
    results.replaceChildren();
    page.kept.list().forEach((task) => page.kept.remove(task.id));
    announce(t("run.begun"));
    return follow((session) => session.start(inputs, files), {});
  }

  async function more(messageId, before) {
    return follow((session) => session.startLike(messageId), { like: messageId }, before);
  }

  /** Show a run as it goes. `start(session)` begins it; `about` is kept with its id for a reload. */
  async function follow(start, about, before = null, scroll = true) {
    const shown = newView(about);
    if (before) before.after(shown.element);
    else results.append(shown.element);
    current = shown.session;
    showButton();
    if (scroll) shown.element.scrollIntoView({ block: "nearest", behavior: "smooth" });
    try {
      await start(shown.session);
    } catch (wrong) {
      shown.element.remove();
      say(wordsOf(wrong));
      ended(shown.session);
    }
  }

  function newView(about) {
    let named = null;
    const view = runView({
      steps: page.app.showSteps,
      forms: (data) => formInPlace(page, data),
      actions: runActions(page, () => session.run, { more: (id) => more(id, view.element), savedChanged }),
    });
    const session = new RunSession(page.desk, page.mode, {
      changed(now) {
        if (now.gone && about.id) {
          page.kept.remove(about.id);
          view.element.remove();
        } else view.update(now);
        if (isOver(now)) ended(session);
        // A run that waits for somebody may wait for days.
        if (now.status === "paused") rest(session);
      },
      connection: view.connection,
      begun(id) {
        named = id;
        page.kept.add({ id, kind: page.mode, ...about });
      },
    });
    keepLinksFresh(view.element, page.desk, () => session.run.runId);
    return { session, element: view.element, id: () => named };
  }

  function rest(session) {
    if (current !== session) return;
    current = null;
    showButton();
  }

  function ended(session) {
    if (current === session) announce(t("run.ended"));
    rest(session);
  }

  function clearForm() {
    form.set({});
    attachments?.set([]);
    dropDraft(draftName);
    say("");
    element.querySelector(".fields")?.querySelector("input, textarea, select")?.focus();
  }

  for (const task of page.kept.list()) {
    const shown = newView({ ...task });
    results.append(shown.element);
    current = shown.session;
    shown.session.resume(task.id);
  }
  showButton();
  return { element };
}

/** What was typed, without files: those would be gone from the server sooner than from here. */
function typedValues(values) {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value)),
  );
}

/** The form of a paused run, for whoever sees the run. */
export function formInPlace(page, data) {
  const calls = formCalls(page.desk, data.form_token);
  return humanForm(data, { submit: calls.submit, upload: calls.upload, limits: page.parameters.system_parameters });
}
