import { expect, it } from "vitest";
import { lineOf, lineWith, runsOf, spansOf } from "../lib/line";
import type { Window } from "../api/types";
import { plotOf, smallFrame } from "./plot";

const MINUTE = 60_000;
const window = (n: number, fields: Partial<Window> = {}): Window => ({
  start: new Date(n * MINUTE).toISOString(),
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
  const line = lineOf([window(0), window(1), window(2, { state: "gap", count: 0 }), window(3), window(5)]);
  expect(runsOf(line, MINUTE)).toEqual([
    [0, 2],
    [3, 4],
    [4, 5],
  ]);
  expect(spansOf(line, MINUTE, "g")).toEqual([[120_000, 180_000]]);
});

it("joins the warm line to the calm one and marks the end", () => {
  const line = lineOf([window(0), window(1), window(2, { state: "unusual", count: 10 })]);
  const plot = plotOf(line, MINUTE, smallFrame(0, 180_000, 186, 36));
  expect(plot.lines).toHaveLength(1);
  expect(plot.hot).toEqual(["M93 27L153 3"]);
  expect(plot.end).toEqual({ x: 153, y: 3, hot: true });
});

it("draws nothing of nothing", () => {
  expect(plotOf(lineOf([]), MINUTE, smallFrame(0, MINUTE, 100, 30))).toMatchObject({ lines: [], bands: [], end: null });
});

it("leaves the band out where it is not known", () => {
  const unknown = { lower: null, upper: null };
  const line = lineOf([window(0, unknown), window(1, unknown), window(2), window(3)]);
  const [band] = plotOf(line, MINUTE, smallFrame(0, 4 * MINUTE, 46, 36)).bands;
  expect(band?.match(/[ML]/g)).toHaveLength(4);
});

it("sets a window in its place, replaces a revised one, forgets the oldest", () => {
  const line = lineOf([window(0), window(1), window(3)]);
  const next = lineWith(line, window(2, { count: 7 }), MINUTE);
  expect(next.starts.map((start) => start / MINUTE)).toEqual([1, 2, 3]);
  expect(lineWith(next, window(2, { count: 9, state: "unusual" }), 0)).toMatchObject({
    counts: [2, 9, 2],
    states: ["u", "x", "u"],
  });
  expect(lineWith(line, window(4), 2 * MINUTE).starts.map((start) => start / MINUTE)).toEqual([3, 4]);
});
