import { useEffect } from "react";
import { createStore } from "./store";

/** Whether charts are shown as tables (`t`). */
export const tablesShown = createStore(false);

export interface Shortcut {
  keys: string;
  says: string;
}

/** Every key of the page, as `?` shows them. */
export const SHORTCUTS: readonly Shortcut[] = [
  { keys: "g l", says: "Live" },
  { keys: "g t", says: "Topics" },
  { keys: "g e", says: "Explore" },
  { keys: "g d", says: "Data" },
  { keys: "g c", says: "Channels" },
  { keys: "j", says: "next row" },
  { keys: "k", says: "row before" },
  { keys: "Enter", says: "open the row" },
  { keys: "/", says: "to the search box" },
  { keys: "n", says: "new tracker" },
  { keys: "u", says: "upload files" },
  { keys: "t", says: "charts as tables, and back" },
  { keys: "w", says: "windows of the next size" },
  { keys: "Ctrl K", says: "commands (⌘K on a Mac)" },
  { keys: "?", says: "these keys" },
  { keys: "Esc", says: "close" },
];

function writing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Move the focus to the next or the previous row of the page; rows are marked with `data-row`. */
export function moveRow(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>("main [data-row]")].filter((row) => row.offsetParent !== null);
  if (rows.length === 0) return;
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const next = at === -1 ? (step === 1 ? 0 : rows.length - 1) : at + step;
  const row = rows[Math.min(rows.length - 1, Math.max(0, next))];
  row?.focus();
  row?.scrollIntoView({ block: "nearest" });
}

export type KeyActions = Readonly<Record<string, () => void>>;

/**
 * Listen to the page's keys. `actions` names single keys (`j`), sequences (`g l`) and `mod k` for Ctrl or ⌘.
 * Nothing but `mod` keys is heard while somebody writes or a dialog is open.
 */
export function useKeys(actions: KeyActions): void {
  useEffect(() => {
    let first: string | null = null;
    let forget = 0;
    const listen = (event: KeyboardEvent) => {
      const modified = event.ctrlKey || event.metaKey;
      if (modified || event.altKey) {
        const action = modified && !event.altKey ? actions[`mod ${event.key.toLowerCase()}`] : undefined;
        if (action) {
          event.preventDefault();
          action();
        }
        return;
      }
      if (writing(event.target) || document.querySelector("dialog[open]")) return;
      const action = (first && actions[`${first} ${event.key}`]) || actions[event.key];
      first = event.key;
      clearTimeout(forget);
      forget = window.setTimeout(() => (first = null), 1000);
      if (action) {
        first = null;
        event.preventDefault();
        action();
      }
    };
    addEventListener("keydown", listen);
    return () => {
      removeEventListener("keydown", listen);
      clearTimeout(forget);
    };
  }, [actions]);
}
