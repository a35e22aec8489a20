import { expect, it } from "vitest";
import type { Counts, Inflow, Slot } from "../api/types";
import { columnsOf, holesOf, missingIn, niceTop, sumOf, ticksOf, together } from "./columns";

const counts = (stored: number, known = 0, rejected = 0): Counts => ({
  received: stored + known + rejected,
  stored,
  known,
  rejected,
  ignored: 0,
});
const slot = (stored: number, state: Slot["state"] = "data", known = 0, rejected = 0): Slot => ({
  start: "2026-11-20T08:00:00Z",
  counts: counts(stored, known, rejected),
  state,
  connected: null,
});

it("stacks what was stored, known and not read; the least bar is a pixel high", () => {
  const [first, second] = columnsOf([slot(890, "data", 99, 6), slot(500)], 100, 100, 1000);
  expect([first?.stored, first?.known, first?.rejected]).toEqual([89, 9.9, 1]);
  expect([second?.index, second?.stored]).toEqual([1, 50]);
  expect(columnsOf([slot(1)], 100, 100, 1_000_000)[0]?.stored).toBe(1);
  expect(columnsOf([slot(9_999, "data", 0, 1)], 100, 100, 10_000)[0]?.rejected).toBe(0);
});

it("draws nothing for a stretch without records: no line to zero", () => {
  expect(columnsOf([slot(0, "quiet"), slot(0, "gap")], 100, 100, 10)).toEqual([]);
});

it("joins neighbouring gaps", () => {
  const slots = [slot(1), slot(0, "gap"), slot(3, "gap"), slot(1), slot(0, "gap")];
  expect(holesOf(slots, 50)).toEqual([
    { x: 10, width: 20 },
    { x: 40, width: 10 },
  ]);
});

it("takes a sum for complete only where no stream was away", () => {
  const inflow = {
    since: "",
    until: "",
    step_s: 3600,
    items: [
      { source: "push", kind: "stream", slots: [slot(5), slot(0, "gap"), slot(0, "before")] },
      { source: "import", kind: "files", slots: [slot(2, "data", 1), slot(7), slot(0, "before")] },
    ],
  } satisfies Inflow;
  const sums = together(inflow);
  expect(sums.map((one) => [one.state, one.counts.stored])).toEqual([
    ["data", 7],
    ["gap", 7],
    ["before", 0],
  ]);
  expect(missingIn(inflow, 1)).toEqual(["push"]);
  expect(sumOf(sums).known).toBe(1);
});

it.each([
  [0, 2],
  [1, 2],
  [7, 8],
  [11, 12],
  [41_200, 50_000],
  [520_000, 600_000],
])("scales %s up to %s", (value, top) => {
  expect(niceTop(value)).toBe(top);
});

it("marks days, and hours within two days", () => {
  const until = new Date(2026, 10, 20, 18).getTime();
  const days = ticksOf(until - 72 * 3_600_000, until, 800);
  expect(days.map((tick) => new Date(tick.at).getHours())).toEqual([0, 0, 0]);
  const hours = ticksOf(until - 24 * 3_600_000, until, 800);
  expect(hours.map((tick) => new Date(tick.at).getHours())).toEqual([0, 6, 12]);
});
