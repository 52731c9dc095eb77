/** The text of an answer as it grows. */

/** Shows a text that may grow by pieces or be replaced. */
export class TextView {
  /** @param {HTMLElement} container where the text goes */
  constructor(container) {
    this.container = container;
    container.classList.add("text-view");
  }

  /** Show the whole text as it is now. */
  update(text) {
    this.container.textContent = text;
  }
}
