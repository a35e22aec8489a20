import { expect, it } from "vitest";
import { alertsWithAlert, trackersWithAlert, trackersWithWindows, withWindow } from "./merge";
import type { Alerts, AlertSummary, Trackers, Window } from "./types";

const minute = (n: number) => new Date(Date.UTC(2026, 10, 20, 12, n)).toISOString();
const at = (n: number, count = 1): Window => ({
  start: minute(n),
  count,
  expected: 1,
  lower: 0,
  upper: 3,
  return_days: null,
  platform_ratio: null,
  state: "usual",
  late: 0,
});
const alert = (fields: Partial<AlertSummary>) =>
  ({ id: "a", tracker: "t", opened_at: minute(5), updated_at: minute(10), closed_at: null, ...fields }) as AlertSummary;

it("sets a window in its place, replaces a revised one, forgets the oldest", () => {
  const items = [at(0), at(5), at(15)];
  expect(withWindow(items, at(10), Date.parse(minute(5))).map((w) => w.start)).toEqual([5, 10, 15].map(minute));
  expect(withWindow(items, at(5, 9), 0).map((w) => w.count)).toEqual([1, 9, 1]);
});

it("counts open alerts once, however often one is told", () => {
  const none: Alerts = { items: [], open: 0, next: null };
  const opened = alertsWithAlert(none, alert({}));
  const again = alertsWithAlert(opened, alert({ updated_at: minute(15) }));
  const stale = alertsWithAlert(again, alert({ updated_at: minute(10) }));
  const closed = alertsWithAlert(stale, alert({ updated_at: minute(20), closed_at: minute(20) }));
  expect([opened.open, again.open, stale.open, closed.open]).toEqual([1, 1, 1, 0]);
  expect(stale.items[0]?.updated_at).toBe(minute(15));
});

it("takes only trackers for changed whose last window says something else", () => {
  const trackers = { items: [{ id: "s", name: "a", last: at(0), open_alert: null }, { id: "t", name: "b", last: null, open_alert: null }] } as unknown as Trackers;
  const next = trackersWithWindows(trackers, { s: at(5, 2), t: at(5) });
  expect(next.items[0]).toBe(trackers.items[0]);
  expect(next.items[1]?.last?.start).toBe(minute(5));
  const hot = trackersWithWindows(next, { s: { ...at(10, 90), state: "unusual" } });
  expect(hot.items[0]?.last?.count).toBe(90);
  expect(trackersWithWindows(hot, { t: at(10) })).toBe(hot);
});

it("lists a tracker first while its alert is open", () => {
  const trackers = {
    items: [
      { id: "s", name: "a", open_alert: null },
      { id: "t", name: "b", open_alert: null },
    ],
  } as Trackers;
  const open = trackersWithAlert(trackers, alert({}));
  expect(open.items.map((one) => one.name)).toEqual(["b", "a"]);
  expect(trackersWithAlert(open, alert({ closed_at: minute(20) })).items.map((one) => one.name)).toEqual(["a", "b"]);
});
