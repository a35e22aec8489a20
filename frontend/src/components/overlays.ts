import { createStore } from "../lib/store";

export type Overlay = "commands" | "keys" | null;

/** Which dialog is open; one at a time. */
export const overlay = createStore<Overlay>(null);

export const closeOverlay = () => overlay.set(null);
