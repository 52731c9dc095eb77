/** The parts of a paused run's form: its content, and where each input stands in it (contract human-input.md §1). */

const PLACE = /\{\{#\$output\.([A-Za-z_][A-Za-z0-9_]{0,29})#\}\}/g;

/**
 * Split a form's content at its inputs: a list of `{text}` and `{input}`, in reading order. Inputs that the content does
 * not place stand at the end; what names no input, or names one twice, is left out.
 */
export function contentParts(content, inputs) {
  const waiting = new Map(inputs.map((input) => [input.output_variable_name, input]));
  const parts = [];
  let end = 0;
  for (const found of content.matchAll(PLACE)) {
    const text = content.slice(end, found.index);
    if (text.trim()) parts.push({ text });
    end = found.index + found[0].length;
    const input = waiting.get(found[1]);
    if (input) parts.push({ input });
    waiting.delete(found[1]);
  }
  if (content.slice(end).trim()) parts.push({ text: content.slice(end) });
  return [...parts, ...Array.from(waiting.values(), (input) => ({ input }))];
}

/** An input of a form as a field of `text_fields.js` or `file_field.js`. */
export function inputField(input) {
  const name = input.output_variable_name;
  const several = input.type === "file-list";
  const given = (list) => (list?.length ? list : null);
  return {
    type: input.type,
    name,
    label: name.replaceAll("_", " ").trim() || name,
    description: "",
    // An empty paragraph is an answer, and so is an empty list of files.
    required: input.type === "select" || input.type === "file",
    maxLength: 0,
    options: (input.option_source?.value ?? []).map(String),
    files: {
      kinds: given(input.allowed_file_types),
      extensions: (input.allowed_file_extensions ?? []).map((one) =>
        String(one).trim().toLowerCase().replace(/^\./, ""),
      ),
      methods: given(input.allowed_file_upload_methods),
      most: several ? Number(input.number_limits) || 0 : 1,
    },
  };
}

/** What an input holds before anybody writes: its default, by constant or by variable. */
export function inputDefault(input, resolved) {
  if (input.type !== "paragraph" || !input.default) return null;
  if (input.default.type !== "variable") return input.default.value ?? "";
  return resolved?.[input.output_variable_name] ?? input.default.value ?? "";
}
