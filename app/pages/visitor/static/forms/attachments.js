/** The files that go with a question or a run: the app's feature `file_upload`, in its new spelling or its old one. */

import { t } from "../core/texts.js";
import { fileField } from "./file_field.js";
import { plainExtension } from "./input_rules.js";

const USUAL_NUMBER = 3;

/** Which files the feature takes, as the `files` of a field; null where it is off. */
export function attachmentRules(fileUpload) {
  const older = fileUpload?.image ?? {};
  const kinds = fileUpload?.allowed_file_types;
  if (fileUpload?.enabled && kinds) {
    return {
      kinds,
      extensions: (fileUpload.allowed_file_extensions ?? []).map(plainExtension),
      methods: fileUpload.allowed_file_upload_methods ?? null,
      most: fileUpload.number_limits || USUAL_NUMBER,
    };
  }
  if (!fileUpload?.enabled && !older.enabled) return null;
  return {
    kinds: ["image"],
    extensions: [],
    methods: older.transfer_methods ?? null,
    most: older.number_limits || USUAL_NUMBER,
  };
}

/** The field of these files, as `fileField` makes it; null where the feature is off. */
export function attachmentsField(fileUpload, { limits, upload }) {
  const files = attachmentRules(fileUpload);
  if (!files) return null;
  const field = { type: "file-list", name: "files", label: t("files.attach"), description: "", required: false, files };
  return fileField(field, { limits, upload });
}
