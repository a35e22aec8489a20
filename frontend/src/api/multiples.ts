import { type Letter, type Line, lineWith, NOTHING } from "../lib/line";
import { get } from "./client";
import type { Multiples, Window } from "./types";

/** How many windows a small multiple shows, whatever their size: half a day of five minutes, six days of hours. */
export const SHOWN = 144;
/** Trackers that are asked for at once. */
const BATCH = 40;
/** Small multiples show at least this many windows, so that the first ones do not fill the width. */
const FEWEST = 12;

export interface Multiple {
  line: Line;
  last: Window | null;
}

export type Closed = Readonly<Record<string, Window>>;

/** The windows of one size: what is known of each tracker, and the axis that all share. */
interface Size {
  known: Map<string, Multiple>;
  wanted: Set<string>;
  /** Everything that was ever asked for. */
  asked: Set<string>;
  /** Start of the oldest window that is known and end of the newest, milliseconds. */
  oldest: number;
  until: number;
  axis: Axis;
}

/** The stretch of time that all small multiples show, milliseconds. */
export interface Axis {
  since: number;
  until: number;
}

/** Asks for the newest windows of some trackers. */
export type Ask = (trackers: readonly string[], windowS: number) => Promise<Multiples>;

const ask: Ask = (trackers, windowS) => {
  const wanted = trackers.map((id) => `tracker=${encodeURIComponent(id)}`).join("&");
  return get<Multiples>(`/multiples?window_s=${windowS}&windows=${SHOWN}&${wanted}`);
};

/**
 * The lines of the small multiples, outside of React's state: a window that closes touches 500 trackers, and only the
 * rows in view are drawn anew. What is in view is asked for in batches; what has been asked for is kept up to date.
 */
export class MultiplesStore {
  private sizes = new Map<number, Size>();
  private listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  /** The last failure, until something is asked for again with success. */
  error: Error | null = null;

  constructor(private readonly load: Ask = ask) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** What is known of a tracker; undefined while it is asked for. */
  get(windowS: number, tracker: string): Multiple | undefined {
    return this.sizes.get(windowS)?.known.get(tracker);
  }

  axis(windowS: number): Axis {
    return this.size(windowS).axis;
  }

  /** Ask for trackers that came into view; several calls within a moment become one request. */
  want(windowS: number, tracker: string): void {
    const size = this.size(windowS);
    if (size.asked.has(tracker)) return;
    size.asked.add(tracker);
    size.wanted.add(tracker);
    this.timer ??= setTimeout(() => this.ask(), 15);
  }

  /** Windows of one size have closed. */
  take(windowS: number, closed: Closed): void {
    const size = this.sizes.get(windowS);
    if (!size) return;
    for (const [tracker, window] of Object.entries(closed)) {
      const end = Date.parse(window.start) + windowS * 1000;
      if (end > size.until) size.until = end;
      const multiple = size.known.get(tracker);
      if (!multiple) continue;
      const newer = !multiple.last || window.start >= multiple.last.start;
      const line = lineWith(multiple.line, window, size.until - SHOWN * windowS * 1000);
      size.oldest = Math.min(size.oldest, line.starts[0] ?? size.until);
      size.known.set(tracker, { line, last: newer ? window : multiple.last });
    }
    this.moved(size, windowS);
    this.tell();
  }

  /** Ask anew for everything that was asked for: changes were missed, or the answer never came. */
  refresh(): void {
    for (const size of this.sizes.values()) size.wanted = new Set(size.asked);
    this.timer ??= setTimeout(() => this.ask(), 15);
  }

  /** Set lines without a server, for samples and tests. */
  put(windowS: number, tracker: string, multiple: Multiple, until: number): void {
    const size = this.size(windowS);
    size.asked.add(tracker);
    size.known.set(tracker, multiple);
    size.until = Math.max(size.until, until);
    size.oldest = Math.min(size.oldest, multiple.line.starts[0] ?? until);
    this.moved(size, windowS);
  }

  private size(windowS: number): Size {
    let size = this.sizes.get(windowS);
    if (!size) {
      const none = { oldest: Number.POSITIVE_INFINITY, until: 0, axis: { since: 0, until: 1 } };
      size = { known: new Map(), wanted: new Set(), asked: new Set(), ...none };
      this.sizes.set(windowS, size);
    }
    return size;
  }

  /** The axis begins at what is shown at most, or later where nothing had been watched by then. */
  private moved(size: Size, windowS: number): void {
    const since = size.until - SHOWN * windowS * 1000;
    const begun = Math.min(size.oldest, size.until - FEWEST * windowS * 1000);
    const next = { since: Math.max(since, begun), until: size.until };
    if (next.since !== size.axis.since || next.until !== size.axis.until) size.axis = next;
  }

  private ask(): void {
    this.timer = null;
    for (const [windowS, size] of this.sizes) {
      const wanted = [...size.wanted];
      for (let from = 0; from < wanted.length; from += BATCH) void this.fetch(windowS, size, wanted.slice(from, from + BATCH));
    }
  }

  private async fetch(windowS: number, size: Size, trackers: readonly string[]): Promise<void> {
    for (const tracker of trackers) size.wanted.delete(tracker);
    try {
      const answer = await this.load(trackers, windowS);
      this.error = null;
      const until = answer.until ? Date.parse(answer.until) : 0;
      if (until > size.until) size.until = until;
      for (const item of answer.items) {
        const first = item.first ? Date.parse(item.first) : 0;
        const starts = item.steps.map((step) => first + step * windowS * 1000);
        const { counts, lower, upper } = item;
        const line = { starts, counts, lower, upper, states: [...item.states] as Letter[] };
        size.known.set(item.tracker, { line: starts.length ? line : NOTHING, last: item.last });
        size.oldest = Math.min(size.oldest, starts[0] ?? Number.POSITIVE_INFINITY);
      }
      this.moved(size, windowS);
    } catch (error) {
      this.error = error as Error;
    }
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

export const liveMultiples = new MultiplesStore();
