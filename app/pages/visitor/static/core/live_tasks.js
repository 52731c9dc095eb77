/**
 * The tasks of an app that are under way in this browser, so that a page that is opened again, or in a second tab,
 * goes on reading them. One entry a task: `{id, kind, …}`; the id is a task's, a message's or a run's.
 */

import { workingStorage } from "../client/storage.js";

const DAY_MS = 86_400_000;

/** Keeps the tasks of one end user of one app, across pages and tabs. */
export class LiveTasks {
  #storage = workingStorage();
  #key;

  constructor(code, endUserId) {
    this.#key = `frontdesk-live-${code}-${endUserId}`;
  }

  /** The tasks that are under way, the oldest first. */
  list() {
    let kept = [];
    try {
      kept = JSON.parse(this.#storage.getItem(this.#key) ?? "[]");
    } catch {
      // Somebody else's value under our key.
    }
    return Array.isArray(kept) ? kept.filter((task) => Date.now() - task.since < DAY_MS) : [];
  }

  /** Remember a task; one of the same id is replaced. */
  add(task) {
    this.#write([...this.#others(task.id), { since: Date.now(), ...task }]);
  }

  /** Forget a task: it has ended. */
  remove(id) {
    this.#write(this.#others(id));
  }

  /** Call `listener` when another tab has changed the list. Returns what ends it. */
  watch(listener) {
    const heard = (event) => event.key === this.#key && listener(this.list());
    addEventListener("storage", heard);
    return () => removeEventListener("storage", heard);
  }

  #others(id) {
    return this.list().filter((task) => task.id !== id);
  }

  #write(tasks) {
    if (tasks.length) this.#storage.setItem(this.#key, JSON.stringify(tasks));
    else this.#storage.removeItem(this.#key);
  }
}
