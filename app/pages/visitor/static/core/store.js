/** The state of a page in one place: a component reads it, changes it by `set`, and hears of changes. */

/** Return a store. State is an object whose parts are replaced, never changed within. */
export function createStore(initial) {
  let state = initial;
  let told = true;
  const listeners = new Set();

  /** Tell listeners once for all changes of one turn. */
  function tell() {
    if (!told) return;
    told = false;
    queueMicrotask(() => {
      told = true;
      for (const listener of [...listeners]) listener(state);
    });
  }

  return {
    get: () => state,
    /** Replace parts of the state; takes an object, or a function from the state to one. */
    set(change) {
      const parts = typeof change === "function" ? change(state) : change;
      if (Object.entries(parts).every(([name, value]) => Object.is(state[name], value))) return;
      state = { ...state, ...parts };
      tell();
    },
    /** Call `listener(value)` now and whenever what `select(state)` returns is another. Returns what ends it. */
    watch(select, listener) {
      let last = select(state);
      const check = (now) => {
        const value = select(now);
        if (Object.is(value, last)) return;
        last = value;
        listener(value);
      };
      listeners.add(check);
      listener(last);
      return () => listeners.delete(check);
    },
  };
}
