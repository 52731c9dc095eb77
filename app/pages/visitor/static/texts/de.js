/** German. Keys go by area; `{name}` stands for a value. All languages have the same keys. */
export default {
  "common.cancel": "Abbrechen",
  "common.close": "Schließen",
  "common.copied": "Kopiert",
  "common.copy": "Kopieren",
  "common.delete": "Löschen",
  "common.more": "Mehr",
  "common.save": "Speichern",
  "common.settings": "Einstellungen",
  "common.stop": "Anhalten",

  "door.denied": "Sie dürfen diese App nicht öffnen",
  "door.deniedHow": "Ihr Konto hat keinen Zugang zu ihr. Fragen Sie, wer sie betreibt, oder nehmen Sie ein anderes Konto.",
  "door.otherAccount": "Anderes Konto nehmen",

  "error.noApp": "Hier gibt es keine App",
  "error.noAppHow": "Die Adresse ist falsch geschrieben, oder die App wurde entfernt. Fragen Sie, wer Ihnen den Link gab.",
  "error.sessionOver": "Ihre Anmeldung ist abgelaufen. Melden Sie sich wieder an.",
  "error.tooMany": "Das war zu viel auf einmal. Warten Sie einen Augenblick, und versuchen Sie es wieder.",
  "error.tryAgain": "Noch einmal versuchen",
  "error.unavailable": "Diese App lässt sich gerade nicht öffnen",
  "error.unknown": "Etwas ging schief. Versuchen Sie es gleich noch einmal.",
  "error.unreachable": "Der Server ist nicht zu erreichen. Prüfen Sie Ihre Verbindung.",

  "page.privacy": "Datenschutz",

  "settings.colours": "Farben",
  "settings.colours.dark": "Dunkel",
  "settings.colours.light": "Hell",
  "settings.colours.system": "Wie das System",
  "settings.language": "Sprache",

  "stream.live": "Die Antwort kommt",
  "stream.reconnecting": "Verbindung verloren. Wird wiederhergestellt; nichts geht verloren.",
  "stream.resumed": "Wieder verbunden",
};
