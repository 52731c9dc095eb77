/** Simplified Chinese. Keys go by area; `{name}` stands for a value. All languages have the same keys. */
export default {
  "common.cancel": "Cancel",
  "common.close": "Close",
  "common.copied": "Copied",
  "common.copy": "Copy",
  "common.delete": "Delete",
  "common.more": "More",
  "common.save": "Save",
  "common.settings": "Settings",
  "common.stop": "Stop",

  "door.denied": "You may not open this app",
  "door.deniedHow": "Your account has no access to it. Ask the people who run it, or use another account.",
  "door.otherAccount": "Use another account",

  "error.noApp": "There is no app here",
  "error.noAppHow": "The address is mistyped, or the app was taken down. Ask whoever gave you the link.",
  "error.sessionOver": "Your login has ended. Log in again to go on.",
  "error.tooMany": "That was too much at once. Wait a moment, then try again.",
  "error.tryAgain": "Try again",
  "error.unavailable": "This app cannot be opened right now",
  "error.unknown": "Something went wrong. Try again in a moment.",
  "error.unreachable": "The server cannot be reached. Check your connection.",

  "page.privacy": "Privacy policy",

  "settings.colours": "Colours",
  "settings.colours.dark": "Dark",
  "settings.colours.light": "Light",
  "settings.colours.system": "As the system",
  "settings.language": "Language",

  "stream.live": "The answer is coming in",
  "stream.reconnecting": "Connection lost. Reconnecting; nothing is lost.",
  "stream.resumed": "Connected again",
};
