import type { Window } from "../api/types";

/** The state of a window in one letter, as the API's columns write it: learning, usual, unusual, macro, gap. */
export type Letter = "l" | "u" | "x" | "m" | "g";

/** A series as columns, oldest first: what is drawn. Times are milliseconds; a window that is absent was not watched. */
export interface Line {
  starts: readonly number[];
  counts: readonly number[];
  lower: readonly (number | null)[];
  upper: readonly (number | null)[];
  states: readonly Letter[];
}

/** A window as it is drawn: where its column stands for several, `counted` is the one of them whose count it shows. */
export interface DrawnWindow extends Window {
  counted?: { start: string; windowS: number };
}

export const NOTHING: Line = { starts: [], counts: [], lower: [], upper: [], states: [] };

const LETTERS: Record<Window["state"], Letter> = { learning: "l", usual: "u", unusual: "x", macro: "m", gap: "g" };

export function letterOf(state: Window["state"]): Letter {
  return LETTERS[state];
}

export function lineOf(windows: readonly Window[]): Line {
  return {
    starts: windows.map((window) => Date.parse(window.start)),
    counts: windows.map((window) => window.count),
    lower: windows.map((window) => window.lower),
    upper: windows.map((window) => window.upper),
    states: windows.map((window) => LETTERS[window.state]),
  };
}

/** The line with a window set in: replaced where it is known, in order otherwise; what starts before `since` falls off. */
export function lineWith(line: Line, window: Window, since: number): Line {
  const start = Date.parse(window.start);
  const { starts } = line;
  let drop = 0;
  while (drop < starts.length && (starts[drop] as number) < since) drop += 1;
  // Windows close in order, so the place is nearly always the end.
  let at = starts.length;
  while (at > drop && (starts[at - 1] as number) > start) at -= 1;
  const known = at > drop && starts[at - 1] === start;
  const head = known ? at - 1 : at;
  const set = <T,>(column: readonly T[], value: T): T[] => [...column.slice(drop, head), value, ...column.slice(at)];
  return {
    starts: set(starts, start),
    counts: set(line.counts, window.count),
    lower: set(line.lower, window.lower),
    upper: set(line.upper, window.upper),
    states: set(line.states, LETTERS[window.state]),
  };
}

/** Index ranges [from, to) of neighbouring windows that hold data; a hole or a missing window ends a run. */
export function runsOf(line: Line, windowMs: number): [number, number][] {
  const runs: [number, number][] = [];
  let before = Number.NaN;
  for (const [index, start] of line.starts.entries()) {
    if (line.states[index] === "g") {
      before = Number.NaN;
      continue;
    }
    const last = runs.at(-1);
    if (last && start - before === windowMs) last[1] = index + 1;
    else runs.push([index, index + 1]);
    before = start;
  }
  return runs;
}

/** The spans of windows in one state, as milliseconds [from, to). */
export function spansOf(line: Line, windowMs: number, state: Letter): [number, number][] {
  const spans: [number, number][] = [];
  for (const [index, start] of line.starts.entries()) {
    if (line.states[index] !== state) continue;
    const last = spans.at(-1);
    if (last && last[1] === start) last[1] = start + windowMs;
    else spans.push([start, start + windowMs]);
  }
  return spans;
}

/** The largest value that is drawn. */
export function topOf(line: Line): number {
  let top = 0;
  for (const [index, count] of line.counts.entries()) top = Math.max(top, count, line.upper[index] ?? 0);
  return top;
}
