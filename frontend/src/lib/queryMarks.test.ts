import { expect, it } from "vitest";
import { piecesOf, placeOf, typedFilter } from "./queryMarks";

it("cuts a query at what is marked, counting characters and not code units", () => {
  expect(piecesOf("🌊 a b", [{ column: 3, length: 1, kind: "warning" }])).toEqual([
    { text: "🌊 ", kind: "plain" },
    { text: "a", kind: "warning" },
    { text: " b", kind: "plain" },
  ]);
  expect(placeOf("🌊 a", 3)).toBe(3);
});

it("marks a fault behind the end as a blank, and a fault rather than a warning", () => {
  expect(piecesOf("(a OR", [{ column: 6, length: 1, kind: "fault" }]).at(-1)).toEqual({ text: "\u00a0", kind: "fault" });
  const both = piecesOf("ab", [
    { column: 1, length: 2, kind: "fault" },
    { column: 1, length: 2, kind: "warning" },
  ]);
  expect(both).toEqual([{ text: "ab", kind: "fault" }]);
});

it("sees which filter is being typed, and none within a phrase", () => {
  expect(typedFilter("nike plat", 9)).toEqual({ from: 5, name: "plat", value: null });
  expect(typedFilter("nike -platform:ti", 17)).toEqual({ from: 6, name: "platform", value: "ti" });
  expect(typedFilter("(lang:", 6)).toEqual({ from: 1, name: "lang", value: "" });
  expect(typedFilter('"side ef', 8)).toBeNull();
  expect(typedFilter("nike ", 5)).toBeNull();
});
