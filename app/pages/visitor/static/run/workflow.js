import { pageHead, showPage, smallPrint } from "../core/frame.js";
import { openApp } from "../core/opening.js";

const opened = await openApp();
if (opened) showPage(pageHead(opened.app), smallPrint(opened.app));
