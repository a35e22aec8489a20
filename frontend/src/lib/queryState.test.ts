import { expect, it } from "vitest";
import { asMoment, exploreAddress, narrowed, quoted, readSearch } from "./queryState";

it("writes only what differs and reads it back", () => {
  const address = exploreAddress({ q: '"side effects" #covid', sort: "likes", platform: "", limit: 50 });
  expect(address).toBe("/posts?q=%22side+effects%22+%23covid&sort=likes");
  const search = readSearch(new URLSearchParams(address.split("?")[1]));
  expect(search).toMatchObject({ q: '"side effects" #covid', sort: "likes", platform: "", limit: 50 });
});

it("takes nonsense in the address as nothing", () => {
  expect(readSearch(new URLSearchParams("sort=worst&limit=-3"))).toMatchObject({ sort: "latest", limit: 50 });
  expect(readSearch(new URLSearchParams("limit=99999")).limit).toBe(500);
  expect(asMoment("tomorrow", false)).toBeNull();
});

it("narrows a query without changing what it means", () => {
  expect(narrowed("pfizer", "#tag")).toBe("pfizer #tag");
  expect(narrowed('"side effects"', "#tag")).toBe('"side effects" #tag');
  expect(narrowed("a OR b", "#tag")).toBe("(a OR b) #tag");
  expect(quoted("dose two")).toBe('"dose two"');
  expect(quoted("dose")).toBe("dose");
});

it("ends a day where the next begins", () => {
  const since = asMoment("2026-11-20", false);
  const until = asMoment("2026-11-20", true);
  expect((Date.parse(until ?? "") - Date.parse(since ?? "")) / 3_600_000).toBe(24);
});
