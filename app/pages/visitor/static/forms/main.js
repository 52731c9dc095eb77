import { chooseLanguage, loadTexts } from "../core/texts.js";

await loadTexts(chooseLanguage(null));
