import { expect, it } from "vitest";
import { nextAt, SNOOZES } from "./snooze";

const friday = new Date(2026, 10, 20, 17, 30);

it("finds the next time of day, on a day that fits", () => {
  expect(nextAt(friday, 18)).toEqual(new Date(2026, 10, 20, 18));
  expect(nextAt(friday, 9)).toEqual(new Date(2026, 10, 21, 9));
  expect(nextAt(friday, 9, (day) => day === 1)).toEqual(new Date(2026, 10, 23, 9));
});

it("always ends after now", () => {
  for (const { until } of SNOOZES) expect(until(friday).getTime()).toBeGreaterThan(friday.getTime());
});
