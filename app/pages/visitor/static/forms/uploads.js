/** Where the files of a form go: to the app for its inputs, to the form's own door for a paused run. */

import { sendFile } from "../client/frontdesk.js";

const SPARE_SECONDS = 30;

/** The uploads of an app's inputs. */
export function appUploads(desk) {
  return {
    file: (file, { progress, signal }) => desk.upload(file, { onProgress: progress, signal }),
    link: (url) => desk.uploadLink(url),
  };
}

/** The uploads of a paused run's form, by an upload token that is fetched when it is needed (human-input.md §8). */
export function formUploads(calls, formToken) {
  let kept = null;
  const headers = async () => {
    if (!kept || kept.expires_at - SPARE_SECONDS < Date.now() / 1000) {
      const path = `/form/human_input/${encodeURIComponent(formToken)}/upload-token`;
      kept = await calls.send("POST", path, { renew: false });
    }
    return { Authorization: `bearer ${kept.upload_token}` };
  };
  const path = "/human-input-forms/files";
  return {
    file: async (file, { progress, signal }) =>
      sendFile(`${calls.base}${path}`, file, await headers(), progress, signal),
    async link(url) {
      const body = new FormData();
      body.append("url", url);
      const response = await calls.request("POST", path, { body, headers: await headers(), renew: false });
      return response.json();
    },
  };
}

/** The calls behind a paused run's form: read it, answer it. They need no passport. */
export function formCalls(calls, formToken) {
  const path = `/form/human_input/${encodeURIComponent(formToken)}`;
  return {
    read: () => calls.send("GET", path, { renew: false }),
    submit: (answer) => calls.send("POST", path, { body: answer, renew: false }),
    upload: formUploads(calls, formToken),
  };
}
