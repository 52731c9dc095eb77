/** What a file is by its name, and which files a field takes (contract endpoints.md, "File mappings"). */

const KINDS = {
  image: "jpg jpeg png webp gif svg",
  video: "mp4 mov mpeg webm",
  audio: "mp3 m4a wav amr mpga ogg webm",
  document: "txt markdown md mdx pdf html htm xlsx xls vtt properties doc docx csv eml msg pptx ppt xml epub",
};
const EXTENSIONS = Object.fromEntries(Object.entries(KINDS).map(([kind, names]) => [kind, names.split(" ")]));
const MEGABYTE = 1024 * 1024;
const LIMITS = {
  image: "image_file_size_limit",
  video: "video_file_size_limit",
  audio: "audio_file_size_limit",
  document: "file_size_limit",
};

/** The extension of a file's name or of a link's path, in lower case, without its dot. */
export function extensionOf(name) {
  const last = name.split(/[?#]/, 1)[0].split("/").pop();
  const dot = last.lastIndexOf(".");
  return dot > 0 ? last.slice(dot + 1).toLowerCase() : "";
}

/** The `type` under which a field takes a file of this extension; null where it takes none. */
export function typeFor(extension, rules) {
  const known = Object.keys(EXTENSIONS).filter((kind) => EXTENSIONS[kind].includes(extension));
  if (!rules.kinds) return known[0] ?? "custom";
  const fitting = known.find((kind) => rules.kinds.includes(kind));
  if (fitting) return fitting;
  return rules.kinds.includes("custom") && rules.extensions.includes(extension) ? "custom" : null;
}

/** The extensions that a field takes; empty where it takes everything. */
export function extensionsFor(rules) {
  if (!rules.kinds) return [];
  const named = rules.kinds.flatMap((kind) => (kind === "custom" ? rules.extensions : (EXTENSIONS[kind] ?? [])));
  return [...new Set(named)];
}

/** How many bytes a file of this extension may have, by the app's `system_parameters`; 0 for no limit. */
export function mostBytes(extension, limits) {
  const kind = ["image", "video", "audio"].find((name) => EXTENSIONS[name].includes(extension)) ?? "document";
  return (Number(limits?.[LIMITS[kind]]) || 0) * MEGABYTE;
}

/** Whether a field takes files from this device (`local_file`) or by their address (`remote_url`). */
export function takes(rules, method) {
  return !rules.methods?.length || rules.methods.includes(method);
}

/** The mapping under which a stored file is sent. */
export function mappingOf(stored, type, method) {
  return {
    type,
    transfer_method: method,
    upload_file_id: stored.id,
    url: method === "remote_url" ? (stored.url ?? "") : "",
  };
}
