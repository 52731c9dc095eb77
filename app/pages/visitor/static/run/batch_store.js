/** A batch as this browser keeps it, so that a reload goes on with it: in IndexedDB, one entry a row. */

const NAME = "frontdesk-batches";
const BATCHES = "batches";
const ROWS = "rows";

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(BATCHES);
      request.result.createObjectStore(ROWS);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function inside(database, mode, work) {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction([BATCHES, ROWS], mode);
    const result = work(transaction.objectStore(BATCHES), transaction.objectStore(ROWS));
    transaction.oncomplete = () => resolve(result instanceof IDBRequest ? result.result : undefined);
    transaction.onabort = () => reject(transaction.error);
  });
}

const rowsOf = (key) => IDBKeyRange.bound([key, 0], [key, Infinity]);

/** The store of one visitor's batch of one app; `key` names both. Where a browser keeps nothing, nothing is kept. */
export class BatchStore {
  static async open(key) {
    try {
      return new BatchStore(key, await opened());
    } catch (wrong) {
      if (!(wrong instanceof DOMException)) throw wrong;
      return new BatchStore(key, null);
    }
  }

  constructor(key, database) {
    this._key = key;
    this._database = database;
  }

  /** Keep a new batch in the place of the former one. `about`: what is known of it besides its rows. */
  async begin(about, rows) {
    await this._within("readwrite", (batches, kept) => {
      kept.delete(rowsOf(this._key));
      batches.put({ ...about, count: rows.length }, this._key);
      rows.forEach((row, index) => kept.put(row, [this._key, index]));
    });
  }

  /** Keep the changed row of that number. */
  async keep(index, row) {
    await this._within("readwrite", (batches, rows) => void rows.put({ ...row }, [this._key, index]));
  }

  /** Return `{about, rows}` of the batch that is kept, or null. */
  async read() {
    const about = await this._within("readonly", (batches) => batches.get(this._key));
    if (!about) return null;
    const rows = await this._within("readonly", (batches, kept) => kept.getAll(rowsOf(this._key)));
    return { about, rows };
  }

  /** Forget the batch. */
  async drop() {
    await this._within("readwrite", (batches, rows) => {
      batches.delete(this._key);
      rows.delete(rowsOf(this._key));
    });
  }

  async _within(mode, work) {
    if (!this._database) return undefined;
    try {
      return await inside(this._database, mode, work);
    } catch (wrong) {
      if (!(wrong instanceof DOMException)) throw wrong;
      return undefined;
    }
  }
}
