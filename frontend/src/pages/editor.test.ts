import { expect, it } from "vitest";
import { draftOf, nameOf } from "./TrackerEditor";

const before = {
  query: '"side effects"',
  name: "Side effects",
  promise: "30",
  country: "",
  followers: "",
  share: "",
  countBy: "created_at" as const,
};

it("sends only what was changed, and null for what was taken away", () => {
  expect(draftOf(before, before)).toEqual({});
  expect(draftOf({ ...before, promise: "7", country: "FR", share: "0.1" }, before)).toEqual({
    promise_days: 7,
    country: "FR",
    reach_share: 0.001,
  });
  expect(draftOf(before, { ...before, country: "FR", followers: "1000" })).toEqual({ country: null, reach_followers: null });
});

it("names a tracker after its query", () => {
  expect(draftOf({ ...before, query: "shoe* ", name: "" }, { ...before, query: "", name: "" })).toEqual({ query: "shoe*", name: "shoe*" });
  expect([nameOf('"side effects"'), nameOf('"a" OR "b"')]).toEqual(["side effects", '"a" OR "b"']);
});
