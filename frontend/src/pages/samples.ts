import type { Tracker, Window } from "../api/types";

/** Invented figures for the design page: the same at every visit. */

const WINDOW_S = 300;
const COUNT = 144;
export const SAMPLE_UNTIL = Date.UTC(2026, 10, 20, 18, 0);
export const SAMPLE_SINCE = SAMPLE_UNTIL - COUNT * WINDOW_S * 1000;

/** A number between 0 and 1 that is always the same for the same place. */
function noise(seed: number): number {
  const x = Math.sin(seed * 127.1) * 43_758.5453;
  return x - Math.floor(x);
}

export type Shape = "usual" | "unusual" | "gap" | "learning" | "few";

export function sampleWindows(shape: Shape, level = 38): Window[] {
  const base = shape === "few" ? 0.6 : level;
  return Array.from({ length: COUNT }, (_, index) => {
    const expected = base * (1 + 0.45 * Math.sin((index / COUNT) * 4 * Math.PI));
    const spread = 1.96 * Math.sqrt(expected) + expected * 0.2;
    const hot = shape === "unusual" && index > COUNT - 9;
    const hole = shape === "gap" && index >= 60 && index < 68;
    const growth = hot ? 1 + (index - (COUNT - 9)) * 0.75 : 1;
    const count = hole ? 0 : Math.round(expected * growth + (noise(index + level) - 0.5) * spread);
    const learning = shape === "learning";
    return {
      start: new Date(SAMPLE_SINCE + index * WINDOW_S * 1000).toISOString(),
      count: Math.max(0, count),
      expected: learning ? null : expected,
      lower: learning ? null : Math.max(0, expected - spread),
      upper: learning ? null : expected + spread,
      return_days: hot ? 140 : learning ? null : 0.02,
      platform_ratio: 1.04,
      state: hole ? "gap" : hot ? "unusual" : learning ? "learning" : "usual",
      late: 0,
    };
  });
}

export function sampleTracker(name: string, last: Window | null, open: string | null = null): Tracker {
  return {
    id: name,
    name,
    query: name,
    version: 1,
    promise_days: 30,
    country: null,
    reach_followers: null,
    reach_share: null,
    count_by: "created_at",
    created_at: new Date(SAMPLE_SINCE).toISOString(),
    last,
    open_alert: open,
  };
}
