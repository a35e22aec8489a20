import type { AllSeries, Window } from "../api/types";

/** What a small multiple draws, in pixels. */
export interface Plot {
  bands: string[];
  lines: string[];
  hot: string[];
  gaps: [number, number][];
  shades: [number, number][];
  end: { x: number; y: number; hot: boolean } | null;
}

interface Place {
  x: number;
  y: number;
  low: number | null;
  high: number | null;
  hot: boolean;
}

const PAD = 3;

/** Small multiples show at least this much, so that the first windows do not fill the width. */
const SHORTEST = 3_600_000;

/** Where small multiples begin: at what was asked for, or later where nothing had been watched by then. */
export function shownSince(series: AllSeries): number {
  const [since, until] = [Date.parse(series.since), Date.parse(series.until)];
  const starts = series.items.flatMap((item) => (item.items[0] ? [Date.parse(item.items[0].start)] : []));
  return Math.min(Math.max(since, Math.min(until, ...starts)), Math.max(since, until - SHORTEST));
}

/** Runs of neighbouring windows that hold data; a hole or a missing window ends a run. */
export function runsOf(windows: readonly Window[], windowS: number): Window[][] {
  const runs: Window[][] = [];
  let before = Number.NaN;
  for (const window of windows) {
    const start = Date.parse(window.start);
    if (window.state === "gap") {
      before = Number.NaN;
      continue;
    }
    if (start - before === windowS * 1000) runs.at(-1)?.push(window);
    else runs.push([window]);
    before = start;
  }
  return runs;
}

/** The spans of windows in one state, as milliseconds [from, to). */
export function spansOf(windows: readonly Window[], windowS: number, state: Window["state"]): [number, number][] {
  const spans: [number, number][] = [];
  for (const window of windows) {
    if (window.state !== state) continue;
    const start = Date.parse(window.start);
    const last = spans.at(-1);
    if (last && last[1] === start) last[1] = start + windowS * 1000;
    else spans.push([start, start + windowS * 1000]);
  }
  return spans;
}

const fixed = (value: number) => Math.round(value * 10) / 10;

function path(points: readonly { x: number; y: number }[]): string {
  return points.map(({ x, y }, index) => `${index ? "L" : "M"}${fixed(x)} ${fixed(y)}`).join("");
}

function bandPath(places: readonly Place[]): string {
  const known = places.filter((place) => place.low !== null && place.high !== null);
  if (known.length < 2) return "";
  const top = known.map((place) => ({ x: place.x, y: place.high ?? 0 }));
  const bottom = known.map((place) => ({ x: place.x, y: place.low ?? 0 })).reverse();
  return `${path([...top, ...bottom])}Z`;
}

/** The lines over unusual windows, each beginning at the window before it so that it joins the calm line. */
function hotPaths(places: readonly Place[]): string[] {
  const paths: string[] = [];
  let current: Place[] = [];
  for (const [index, place] of places.entries()) {
    if (place.hot) {
      if (current.length === 0 && index > 0) current.push(places[index - 1] ?? place);
      current.push(place);
    } else if (current.length) {
      paths.push(path(current));
      current = [];
    }
  }
  if (current.length) paths.push(path(current));
  return paths;
}

/** Lay `windows` out over [since, until) in a box of `width` × `height`; the scale goes from 0 to what is largest. */
export function plotOf(
  windows: readonly Window[],
  windowS: number,
  since: number,
  until: number,
  width: number,
  height: number,
): Plot {
  const inner = width - 2 * PAD;
  const span = Math.max(1, until - since);
  const top = Math.max(1, ...windows.map((window) => Math.max(window.count, window.upper ?? 0)));
  const x = (at: number) => PAD + ((at - since) / span) * inner;
  const y = (value: number) => height - PAD - (value / top) * (height - 2 * PAD);
  const place = (window: Window): Place => ({
    x: x(Date.parse(window.start) + windowS * 500),
    y: y(window.count),
    low: window.lower === null ? null : y(window.lower),
    high: window.upper === null ? null : y(window.upper),
    hot: window.state === "unusual",
  });
  const runs = runsOf(windows, windowS).map((run) => run.map(place));
  const last = windows.at(-1)?.state === "gap" ? undefined : runs.at(-1)?.at(-1);
  const clip = ([from, to]: [number, number]): [number, number] => [fixed(x(Math.max(from, since))), fixed(x(to))];
  return {
    bands: runs.map(bandPath).filter(Boolean),
    lines: runs.map(path),
    hot: runs.flatMap(hotPaths),
    gaps: spansOf(windows, windowS, "gap").map(clip),
    shades: spansOf(windows, windowS, "unusual").map(clip),
    end: last ? { x: last.x, y: last.y, hot: last.hot } : null,
  };
}
