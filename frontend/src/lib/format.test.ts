import { describe, expect, it } from "vitest";
import * as format from "./format";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("numbers", () => {
  it.each([
    [null, "–"],
    [0, "0"],
    [1204, "1,204"],
    [12_400, "12.4 k"],
    [412_000, "412 k"],
    [999_999, "1 M"],
    [2_100_000, "2.1 M"],
  ])("counts %s as %s", (value, text) => {
    expect(plain(format.count(value))).toBe(text);
  });

  it.each([
    [1.04, "1.04×"],
    [6.31, "6.3×"],
    [9.97, "10×"],
    [140.2, "140×"],
    [0, "0×"],
    [null, "–"],
  ])("writes the ratio %s as %s", (value, text) => {
    expect(format.ratio(value)).toBe(text);
  });

  it.each([
    [412, "412 B"],
    [14_200_331, "14.2 MB"],
    [999_999_999, "1 GB"],
    [95e9, "95 GB"],
    [null, "–"],
  ])("writes %s bytes as %s", (value, text) => {
    expect(plain(format.bytes(value))).toBe(text);
  });

  it("keeps small shares apart from nothing", () => {
    expect(plain(format.percent(0.003))).toBe("0.3 %");
    expect(plain(format.percent(0))).toBe("0 %");
    expect(plain(format.percent(0.18))).toBe("18 %");
    expect(plain(format.percent(0.9965))).toBe("99.6 %");
    expect(plain(format.percent(0.99999))).toBe("99.9 %");
    expect(plain(format.percent(1))).toBe("100 %");
    expect(plain(format.percent(0.00001))).toBe("< 0.1 %");
  });

  it("writes tiny probabilities as powers", () => {
    expect(format.probability(3.2e-9)).toBe("3 × 10⁻⁹");
    expect(format.probability(0.004)).toBe("0.004");
  });

  it("keeps an expectation's meaningful digits", () => {
    expect(format.expectation(0.42)).toBe("0.42");
    expect(format.expectation(3.84)).toBe("3.8");
    expect(format.expectation(38.2)).toBe("38");
  });
});

describe("rarity", () => {
  it.each([
    [140, "1 in 140 days", "about once in 140 days"],
    [1, "once a day", "about once a day"],
    [0.04, "once an hour", "about once an hour"],
    [1200, "1 in 3 years", "about once in 3 years"],
    [1e9, "1 in 100+ years", "less than once in 100 years"],
  ])("of %s days", (days, tag, sentence) => {
    expect(format.rarity(days)).toBe(tag);
    expect(format.onceIn(days)).toBe(sentence);
  });
});

describe("times", () => {
  const now = new Date(2026, 10, 20, 18, 0);
  it("leaves out what the reader knows", () => {
    expect(format.clock(new Date(2026, 10, 20, 17, 42), now)).toBe("17:42");
    expect(format.clock(new Date(2026, 10, 18, 17, 42), now)).toBe("Wed 17:42");
    expect(format.clock(new Date(2026, 10, 3, 9, 5), now)).toBe("3 Nov 09:05");
    expect(format.clock(new Date(2021, 10, 3, 9, 5), now)).toBe("3 Nov 2021");
    expect(format.clock(null, now)).toBe("–");
  });

  it("shows the same moment as UTC", () => {
    expect(format.utc("2026-11-20T17:42:00Z")).toBe("2026-11-20 17:42:00 UTC");
  });

  it.each([
    [2, "2 s"],
    [59.7, "1 min"],
    [1080, "18 min"],
    [12_000, "3 h 20 min"],
    [86_400, "24 h"],
    [200_000, "2 days"],
  ])("writes %s seconds as %s", (seconds, text) => {
    expect(plain(format.duration(seconds))).toBe(text);
  });

  it("names a window", () => {
    expect(format.windowSpan(300)).toBe("5 minutes");
    expect(format.windowSpan(3600)).toBe("hour");
    expect(format.windowSpan(7200)).toBe("2 hours");
  });
});

it("cuts a label at a word", () => {
  expect(format.shortened("one two three four five", 14)).toBe("one two three…");
});
