import type { Status } from "../api/types";
import { createStore } from "./store";

/** The size of windows that somebody chose, seconds; null: as the server says. */
export const chosenSize = createStore<number | null>(null);

/** The sizes that are counted, smallest first. */
export function sizesOf(status: Status | undefined): number[] {
  if (!status) return [];
  return [...status.windows_s].sort((a, b) => a - b);
}

/** The size that is shown: the chosen one if it is counted. */
export function shownSize(status: Status | undefined, chosen: number | null): number {
  const sizes = sizesOf(status);
  return chosen !== null && sizes.includes(chosen) ? chosen : (status?.window_s ?? 300);
}

/** The size after the one that is shown; after the last comes the first. */
export function nextSize(status: Status | undefined, chosen: number | null): number {
  const sizes = sizesOf(status);
  return sizes[(sizes.indexOf(shownSize(status, chosen)) + 1) % Math.max(1, sizes.length)] ?? shownSize(status, chosen);
}
