/** The rules of an input form (contract endpoints.md, "Input form"): which fields there are and which values fit. */

export const MALFORMED = Symbol("a value that cannot be read");

/**
 * The fields of `user_input_form`, each `{type, name, label, description, required, hidden, initial, maxLength, options,
 * files}`. Fields of external data tools are left out: the server fills them.
 */
export function fieldsOf(userInputForm) {
  return (userInputForm ?? [])
    .map((entry) => {
      const [type, about] = Object.entries(entry)[0] ?? [];
      return fieldOf(type, about ?? {});
    })
    .filter((field) => field.name && field.type !== "external_data_tool");
}

function fieldOf(key, about) {
  const type = about.type && about.type !== key && key === "object" ? about.type : key;
  return {
    type,
    name: about.variable,
    label: about.label || about.variable,
    description: about.description || about.hint || "",
    required: Boolean(about.required) && type !== "checkbox",
    hidden: Boolean(about.hide),
    initial: about.default ?? null,
    maxLength: Number(about.max_length) || 0,
    options: (about.options ?? []).map(String),
    files: {
      kinds: about.allowed_file_types ?? null,
      extensions: (about.allowed_file_extensions ?? []).map(plainExtension),
      methods: about.allowed_file_upload_methods ?? null,
      most: type === "file" ? 1 : Number(about.max_length) || 0,
    },
  };
}

/** An extension in lower case, without its dot. */
export function plainExtension(extension) {
  return String(extension).trim().toLowerCase().replace(/^\./, "");
}

/** What is wrong with a value: `{key, …}` with a key of the texts, or null. */
export function problemOf(field, value) {
  if (value === MALFORMED) return { key: field.type === "number" ? "forms.notANumber" : "forms.notAnObject" };
  const empty = value === null || value === undefined || (typeof value === "string" && !value.trim());
  if (empty || (Array.isArray(value) && !value.length)) return field.required ? { key: "forms.required" } : null;
  if (field.maxLength && typeof value === "string" && lengthOf(value) > field.maxLength)
    return { key: "forms.tooLong", count: field.maxLength };
  if (field.type === "select" && !field.options.includes(value)) return { key: "forms.notAnOption" };
  return null;
}

/** Characters as the server counts them: code points. */
export function lengthOf(text) {
  return Array.from(text).length;
}

/** A value as the text of a control. */
export function asText(value, indent = 0) {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value, null, indent) : String(value);
}

/** A number from a visitor's spelling, null for nothing, MALFORMED for no number. */
export function numberValue(text) {
  const plain = text
    .trim()
    .replace(/[٠-٩۰-۹]/g, (digit) => String(digit.charCodeAt(0) & 15))
    .replace(/[−–]/g, "-");
  if (!plain) return null;
  // One comma and no dot is a decimal comma.
  const pointed = plain.replace(/[٫,]/, ".");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(pointed) && Number.isFinite(Number(pointed))
    ? Number(pointed)
    : MALFORMED;
}

/** The object of a JSON text, null for nothing, MALFORMED for anything else. */
export function jsonValue(text) {
  if (!text.trim()) return null;
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : MALFORMED;
  } catch (wrong) {
    if (wrong instanceof SyntaxError) return MALFORMED;
    throw wrong;
  }
}
