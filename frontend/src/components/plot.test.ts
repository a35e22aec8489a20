import { expect, it } from "vitest";
import type { Window } from "../api/types";
import { plotOf, runsOf, shownSince, spansOf } from "./plot";

const window = (n: number, fields: Partial<Window> = {}): Window => ({
  start: new Date(n * 60_000).toISOString(),
  count: 2,
  expected: 2,
  lower: 1,
  upper: 4,
  return_days: null,
  platform_ratio: null,
  state: "usual",
  late: 0,
  ...fields,
});

it("never draws a line through a hole", () => {
  const windows = [window(0), window(1), window(2, { state: "gap", count: 0 }), window(3), window(5)];
  expect(runsOf(windows, 60).map((run) => run.length)).toEqual([2, 1, 1]);
  expect(spansOf(windows, 60, "gap")).toEqual([[120_000, 180_000]]);
});

it("joins the warm line to the calm one and marks the end", () => {
  const windows = [window(0), window(1), window(2, { state: "unusual", count: 10 })];
  const plot = plotOf(windows, 60, 0, 180_000, 186, 36);
  expect(plot.lines).toHaveLength(1);
  expect(plot.hot).toEqual(["M93 27L153 3"]);
  expect(plot.end).toEqual({ x: 153, y: 3, hot: true });
});

it("begins where watching began, with an hour at least", () => {
  const series = (first: number[]) => ({
    window_s: 60,
    since: new Date(0).toISOString(),
    until: new Date(720 * 60_000).toISOString(),
    items: first.map((n) => ({ tracker: String(n), window_s: 60, posts: 2, items: [window(n)] })),
  });
  expect(shownSince(series([500, 400])) / 60_000).toBe(400);
  expect(shownSince(series([700])) / 60_000).toBe(660);
  expect(shownSince(series([])) / 60_000).toBe(660);
  expect(shownSince(series([-5])) / 60_000).toBe(0);
});

it("draws nothing of nothing", () => {
  expect(plotOf([], 60, 0, 60_000, 100, 30)).toMatchObject({ lines: [], bands: [], end: null });
});
