import { createStore } from "./store";

export type Theme = "system" | "light" | "dark";

const KEY = "groundswell.theme";

function remembered(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system"; // Storage may be forbidden; the page works without it.
  }
}

export const theme = createStore<Theme>("system");

function show(next: Theme): void {
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
}

/** Take up the remembered theme; called once before the first render. */
export function startTheme(): void {
  theme.set(remembered());
  show(theme.get());
}

export function chooseTheme(next: Theme): void {
  theme.set(next);
  show(next);
  try {
    if (next === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // Not remembered then.
  }
}

/** Whether the page is dark now, by choice or by the system. */
export function isDark(): boolean {
  const chosen = theme.get();
  return chosen === "system" ? matchMedia("(prefers-color-scheme: dark)").matches : chosen === "dark";
}
