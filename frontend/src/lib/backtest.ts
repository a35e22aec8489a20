import type { BacktestResult, Candidate, PromiseCount, Window } from "../api/types";
import type { DrawnWindow } from "./line";

type Series = NonNullable<BacktestResult["series"]>;

/** The windows that a test's columns draw. Of several in a row the rarest is drawn, so a column is `windowS` seconds wide. */
export function windowsOf(series: Series): { windows: DrawnWindow[]; windowS: number } {
  const windowS = series.window_s * series.every;
  const step = windowS * 1000;
  const first = Date.parse(series.start[0] ?? "");
  const windows: DrawnWindow[] = [];
  let column = -1;
  for (const [index, start] of series.start.entries()) {
    // The one that was chosen stands anywhere in its stretch; its place is the stretch's, which is its own.
    column = Math.max(column + 1, Math.floor((Date.parse(start) - first) / step));
    const at = first + column * step;
    const count = series.count[index] ?? null;
    windows.push({
      start: new Date(at).toISOString(),
      counted: { start, windowS: series.window_s },
      count: count ?? 0,
      expected: series.expected[index] ?? null,
      lower: series.lower[index] ?? null,
      upper: series.upper[index] ?? null,
      return_days: null,
      platform_ratio: null,
      state: count === null ? "gap" : stateOf(series.state[index]),
      late: 0,
    });
  }
  return { windows, windowS };
}

const STATES: readonly Window["state"][] = ["learning", "usual", "unusual", "macro", "gap"];

function stateOf(name: string | undefined): Window["state"] {
  return STATES.find((state) => state === name) ?? "usual";
}

/** The episodes that would have alerted with a promise. */
export function firedAt(candidates: readonly Candidate[], promiseDays: number): Candidate[] {
  return candidates.filter((candidate) => candidate.strictest >= promiseDays);
}

/** How many alerts there would have been with a promise: counted where it was, else between its neighbours. */
export function alertsAt(counts: readonly PromiseCount[], promiseDays: number): number | null {
  const sorted = [...counts].sort((a, b) => a.promise_days - b.promise_days);
  const exact = sorted.find((count) => count.promise_days === promiseDays);
  if (exact) return exact.alerts;
  // A stricter promise never alerts more often: between two counts it is the looser one's at most.
  return sorted.filter((count) => count.promise_days <= promiseDays).at(-1)?.alerts ?? sorted[0]?.alerts ?? null;
}
