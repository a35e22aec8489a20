import { expect, it } from "vitest";
import type { Tracker } from "../api/types";
import { filtered, isIn, NO_FILTER } from "./TrackerFilter";
import { rangeOf } from "./VirtualRows";

const tracker = (fields: Partial<Tracker> & { state?: string }): Tracker =>
  ({
    name: "Shoes",
    query: "shoe*",
    open_alert: null,
    last: fields.state ? { state: fields.state } : null,
    ...fields,
  }) as unknown as Tracker;

it("finds trackers by name, by query and by what they say now", () => {
  const all = [
    tracker({ state: "usual" }),
    tracker({ name: "Boots", query: "boot* -shoe", state: "unusual" }),
    tracker({ name: "Hats", query: "hat", open_alert: "a1", state: "usual" }),
    tracker({ name: "Caps", query: "cap" }),
  ];
  const names = (filter: Parameters<typeof filtered>[1]) => filtered(all, filter).map((one) => one.name);
  expect(filtered(all, NO_FILTER)).toBe(all);
  expect(names({ text: " SHOE", group: "all" })).toEqual(["Shoes", "Boots"]);
  expect(names({ text: "", group: "alert" })).toEqual(["Boots", "Hats"]);
  expect(names({ text: "", group: "learning" })).toEqual(["Caps"]);
  expect(isIn(tracker({ state: "gap" }), "gap")).toBe(true);
});

it("draws the rows in view and a few more", () => {
  expect(rangeOf(0, 530, 53, 500)).toEqual({ from: 0, to: 16 });
  expect(rangeOf(53 * 100, 530, 53, 500)).toEqual({ from: 94, to: 116 });
  expect(rangeOf(53 * 490, 530, 53, 500)).toEqual({ from: 484, to: 500 });
  expect(rangeOf(0, 530, 53, 2)).toEqual({ from: 0, to: 2 });
});
