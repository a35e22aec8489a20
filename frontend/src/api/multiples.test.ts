import { expect, it, vi } from "vitest";
import { MultiplesStore, SHOWN } from "./multiples";
import type { Multiples, Window } from "./types";

const MINUTE = 60_000;
const BEGIN = Date.UTC(2026, 10, 20, 12);
const iso = (n: number) => new Date(BEGIN + n * MINUTE).toISOString();
const window = (n: number, count: number): Window => ({
  start: iso(n),
  count,
  expected: 1,
  lower: 0,
  upper: 3,
  return_days: null,
  platform_ratio: null,
  state: "usual",
  late: 0,
});

/** A server that knows `n` windows of every tracker. */
const server = (n: number) =>
  vi.fn(async (trackers: readonly string[], windowS: number): Promise<Multiples> => ({
    window_s: windowS,
    windows: SHOWN,
    until: iso(n),
    items: trackers.map((tracker) => ({
      tracker,
      posts: n,
      first: iso(0),
      steps: Array.from({ length: n }, (_, index) => index),
      counts: Array.from({ length: n }, () => 1),
      lower: Array.from({ length: n }, () => null),
      upper: Array.from({ length: n }, () => null),
      states: "u".repeat(n),
      last: window(n - 1, 1),
    })),
  }));

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(50);
}

it("asks once for what comes into view together, and never for what is known", async () => {
  vi.useFakeTimers();
  const load = server(20);
  const store = new MultiplesStore(load);
  for (const tracker of ["a", "b", "a"]) store.want(60, tracker);
  await settle();
  store.want(60, "b");
  store.want(60, "c");
  await settle();
  expect(load.mock.calls.map(([trackers]) => trackers)).toEqual([["a", "b"], ["c"]]);
  expect(store.get(60, "a")?.line.counts).toHaveLength(20);
});

it("moves every line on when a window closes, whether it is in view or not", async () => {
  vi.useFakeTimers();
  const store = new MultiplesStore(server(20));
  store.want(60, "a");
  await settle();
  const told = vi.fn();
  store.subscribe(told);
  store.take(60, { a: window(20, 9), unseen: window(20, 4) });
  expect(told).toHaveBeenCalledTimes(1);
  expect(store.get(60, "a")?.line.counts.at(-1)).toBe(9);
  expect(store.get(60, "a")?.last?.count).toBe(9);
  expect(store.get(60, "unseen")).toBeUndefined();
  expect(store.axis(60).until).toBe(BEGIN + 21 * MINUTE);
});

it("keeps sizes apart and shows no longer than its axis", async () => {
  vi.useFakeTimers();
  const store = new MultiplesStore(server(SHOWN));
  store.want(60, "a");
  await settle();
  store.take(300, { a: window(0, 50) });
  store.take(60, { a: window(SHOWN, 9) });
  const line = store.get(60, "a")?.line;
  expect(line?.starts).toHaveLength(SHOWN);
  expect(line?.starts[0]).toBe(BEGIN + MINUTE);
  expect(store.axis(60).since).toBe(BEGIN + MINUTE);
});

it("begins where watching began, with a few windows at least", async () => {
  vi.useFakeTimers();
  const store = new MultiplesStore(server(3));
  store.want(60, "a");
  await settle();
  expect((store.axis(60).until - store.axis(60).since) / MINUTE).toBe(12);
});

it("asks anew after changes were missed, and says what went wrong", async () => {
  vi.useFakeTimers();
  const load = server(20);
  const store = new MultiplesStore(load);
  store.want(60, "a");
  await settle();
  load.mockRejectedValueOnce(new Error("gone"));
  store.refresh();
  await settle();
  expect(store.error?.message).toBe("gone");
  expect(store.get(60, "a")).toBeDefined();
  store.refresh();
  await settle();
  expect(store.error).toBeNull();
  expect(load).toHaveBeenCalledTimes(3);
});
