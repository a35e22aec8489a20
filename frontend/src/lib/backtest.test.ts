import { expect, it } from "vitest";
import type { Candidate } from "../api/types";
import { alertsAt, firedAt, windowsOf } from "./backtest";

const at = (minute: number) => new Date(Date.UTC(2026, 10, 20, 12, minute)).toISOString();

it("draws a test's columns on even steps, with holes where nothing was watched", () => {
  const { windows, windowS } = windowsOf({
    window_s: 60,
    every: 5,
    start: [at(0), at(7), at(12)],
    count: [3, null, 9],
    expected: [2, null, 2],
    lower: [1, null, 1],
    upper: [4, null, 4],
    state: ["usual", "gap", "unusual"],
  });
  expect(windowS).toBe(300);
  expect(windows.map((window) => window.start)).toEqual([at(0), at(5), at(10)]);
  expect(windows.map((window) => window.state)).toEqual(["usual", "gap", "unusual"]);
  expect(windows.map((window) => window.counted)).toEqual([0, 7, 12].map((minute) => ({ start: at(minute), windowS: 60 })));
});

it("draws each window that was chosen, also where two of them stand close together", () => {
  const { windows } = windowsOf({
    window_s: 60,
    every: 5,
    start: [at(4), at(5), at(25)],
    count: [3, 40, 9],
    expected: [2, 2, 2],
    lower: [1, 1, 1],
    upper: [4, 4, 4],
    state: ["usual", "unusual", "usual"],
  });
  expect(windows.map((window) => [window.start, window.count])).toEqual([
    [at(4), 3],
    [at(9), 40],
    [at(24), 9],
  ]);
});

it("says what another promise would have alerted about", () => {
  const candidates = [{ strictest: 7 }, { strictest: 365 }, { strictest: 1 }] as Candidate[];
  expect(firedAt(candidates, 7)).toHaveLength(2);
  const counts = [
    { promise_days: 30, needed_days: 30, alerts: 4, per_30_days: 1 },
    { promise_days: 1, needed_days: 2, alerts: 20, per_30_days: 5 },
  ];
  expect([alertsAt(counts, 30), alertsAt(counts, 12), alertsAt(counts, 0.5), alertsAt([], 3)]).toEqual([4, 20, 20, null]);
});
