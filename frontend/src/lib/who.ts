import { createStore } from "./store";

const KEY = "groundswell.who";

function remembered(): string {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return ""; // Storage may be forbidden; then the name is asked for again.
  }
}

/** The name under which this browser's comments and verdicts stand; empty: none was given. */
export const who = createStore(typeof localStorage === "undefined" ? "" : remembered());

export function setWho(name: string): void {
  who.set(name);
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // Not remembered then.
  }
}
