/** Local storage where the browser gives it, else memory: frames of other sites may have none. */

class MemoryStorage {
  #values = new Map();

  getItem(key) {
    return this.#values.get(key) ?? null;
  }

  setItem(key, value) {
    this.#values.set(key, String(value));
  }

  removeItem(key) {
    this.#values.delete(key);
  }
}

/** Return a storage that works: `localStorage`, `sessionStorage`, or one that forgets with the page. */
export function workingStorage(name = "localStorage") {
  const key = "frontdesk-trial";
  try {
    const storage = globalThis[name];
    storage.setItem(key, "");
    storage.removeItem(key);
    return storage;
  } catch {
    return new MemoryStorage();
  }
}
