/** The visitor's conversations: pinned ones and the others, loaded page by page. */

const PAGE = 30;
const SEARCH_PAGE = 100;

export class ConversationList {
  #desk;
  #store;

  /** @param store the page's: `pinned`, `recent`, `moreRecent`, `listState` are this class's parts of it. */
  constructor(desk, store) {
    this.#desk = desk;
    this.#store = store;
  }

  /** Load the first pages of both lists anew. */
  async load() {
    this.#store.set({ listState: "loading" });
    try {
      const [pinned, recent] = await Promise.all([this.#page(true, 100), this.#page(false, PAGE)]);
      this.#store.set({ pinned: pinned.data, recent: recent.data, moreRecent: recent.has_more, listState: "ready" });
    } catch (error) {
      this.#store.set({ listState: "failed" });
      throw error;
    }
  }

  /** Load the next page of the others; does nothing while a page is on its way or where there is none. */
  async loadMore(limit = PAGE) {
    const { recent, moreRecent, listState } = this.#store.get();
    if (!moreRecent || listState === "loading") return;
    this.#store.set({ listState: "loading" });
    try {
      const page = await this.#page(false, limit, recent.at(-1)?.id);
      const known = new Set(this.#store.get().recent.map(({ id }) => id));
      const fresh = page.data.filter(({ id }) => !known.has(id));
      this.#store.set(({ recent: now }) => ({ recent: [...now, ...fresh], moreRecent: page.has_more, listState: "ready" }));
    } catch (error) {
      this.#store.set({ listState: "failed" });
      throw error;
    }
  }

  /** Load all pages, so that a search by name finds everything. */
  async loadAll() {
    while (this.#store.get().moreRecent) await this.loadMore(SEARCH_PAGE);
  }

  /** Return the conversation of an id; undefined where it is not loaded. */
  find(id) {
    const { pinned, recent } = this.#store.get();
    return [...pinned, ...recent].find((conversation) => conversation.id === id);
  }

  /** Put a conversation at the top: it is new, or something was said in it. */
  touch(conversation) {
    const known = this.find(conversation.id);
    if (this.#store.get().pinned.some(({ id }) => id === conversation.id)) return;
    const shown = { ...conversation, ...known };
    this.#store.set(({ recent }) => ({ recent: [shown, ...recent.filter(({ id }) => id !== shown.id)] }));
  }

  /** Give a conversation a name; without one the server makes it. */
  async rename(id, name = null) {
    const body = name === null ? { auto_generate: true } : { name };
    const renamed = await this.#desk.post(`/conversations/${id}/name`, body);
    this.#replace(id, { name: renamed.name });
  }

  /** Pin a conversation, or let it go. */
  async pin(id, pinned) {
    await this.#desk.patch(`/conversations/${id}/${pinned ? "pin" : "unpin"}`);
    await this.load();
  }

  /** Delete a conversation. */
  async delete(id) {
    await this.#desk.delete(`/conversations/${id}`);
    const without = (list) => list.filter((conversation) => conversation.id !== id);
    this.#store.set(({ pinned, recent }) => ({ pinned: without(pinned), recent: without(recent) }));
  }

  #page(pinned, limit, lastId = undefined) {
    return this.#desk.get("/conversations", { pinned, limit, last_id: lastId });
  }

  #replace(id, parts) {
    const changed = (list) => list.map((one) => (one.id === id ? { ...one, ...parts } : one));
    this.#store.set(({ pinned, recent }) => ({ pinned: changed(pinned), recent: changed(recent) }));
  }
}
