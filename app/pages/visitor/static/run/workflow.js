import { showRunPage } from "./run_page.js";

await showRunPage("workflow");
