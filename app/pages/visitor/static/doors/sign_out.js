/** The end of a session by the visitor's wish: nothing of it stays in this tab. */

import { goToSignIn } from "../core/opening.js";

/** Forget the session and what was typed in it, and go to the sign-in. */
export async function signOut(desk) {
  desk.accessToken = "";
  sessionStorage.clear();
  try {
    await desk.send("POST", "/logout", { renew: false });
  } finally {
    goToSignIn();
  }
}
