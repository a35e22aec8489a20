import { expect, it } from "vitest";
import type { AlertSummary } from "../api/types";
import { linesOf } from "./AlertList";

const alert = (id: string, group: string | null, closed = false) =>
  ({ id, group, closed_at: closed ? "2026-11-20T12:00:00Z" : null }) as AlertSummary;

it("makes one line of a group, told by the one that is open", () => {
  const lines = linesOf([alert("d", null), alert("c", "a"), alert("b", "a", true), alert("a", "a", true)]);
  expect(lines.map((line) => [line.alert.id, line.others.map((other) => other.id)])).toEqual([
    ["d", []],
    ["c", ["a", "b"]],
  ]);
});
