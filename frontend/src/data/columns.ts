import type { Counts, Inflow, Slot, SourceSlots } from "../api/types";

/** What the bars of "what came in" are made of, in pixels. */
export interface Column {
  index: number;
  x: number;
  width: number;
  /** Heights of what stands on each other, from the bottom. */
  stored: number;
  known: number;
  rejected: number;
}

export interface Hole {
  x: number;
  width: number;
}

export interface Tick {
  at: number;
  x: number;
}

const NOTHING: Counts = { received: 0, stored: 0, known: 0, rejected: 0, ignored: 0 };

/** What was read and is a record of a post: ignored records (deletions, channels) are no part of a bar. */
export function shownOf(counts: Counts): number {
  return counts.stored + counts.known + counts.rejected;
}

export function added(a: Counts, b: Counts): Counts {
  return {
    received: a.received + b.received,
    stored: a.stored + b.stored,
    known: a.known + b.known,
    rejected: a.rejected + b.rejected,
    ignored: a.ignored + b.ignored,
  };
}

export function sumOf(slots: readonly Slot[]): Counts {
  return slots.reduce((sum, slot) => added(sum, slot.counts), NOTHING);
}

/** All sources together. A stretch in which one of the streams was away is a gap: the sum may lack something. */
export function together(inflow: Inflow): Slot[] {
  const first = inflow.items[0];
  if (!first) return [];
  return first.slots.map((slot, index) => {
    const all = inflow.items.map((item) => item.slots[index] ?? slot);
    const gap = all.some((one) => one.state === "gap");
    const known = all.filter((one) => one.state !== "before");
    const counts = all.reduce((sum, one) => added(sum, one.counts), NOTHING);
    const state = gap ? "gap" : known.length === 0 ? "before" : counts.received ? "data" : "quiet";
    return { start: slot.start, counts, state, connected: null };
  });
}

/** The names of the streams that were away in a stretch. */
export function missingIn(inflow: Inflow, index: number): string[] {
  return inflow.items.filter((item) => item.slots[index]?.state === "gap").map((item) => item.source);
}

const STEPS = [1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10];

/** A scale's end that reads well, halved too, and is not below `value`. */
export function niceTop(value: number): number {
  if (value <= 2) return 2;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = STEPS.find((each) => each * power >= value && (power > 1 || each % 2 === 0)) ?? 10;
  return Math.round(step * power);
}

const fixed = (value: number) => Math.round(value * 100) / 100;

/**
 * Lay slots out over `width`; a bar reaches `height` at `top`. A bar is at least a pixel high, a part of it that would be
 * thinner than half of one is left to the words.
 */
export function columnsOf(slots: readonly Slot[], width: number, height: number, top: number): Column[] {
  const step = width / Math.max(1, slots.length);
  const space = step > 6 ? 1.5 : step > 3 ? 1 : 0;
  return slots.flatMap((slot, index) => {
    const { stored, known, rejected } = slot.counts;
    const shown = shownOf(slot.counts);
    if (shown === 0) return [];
    const scale = Math.max(1, (shown / Math.max(1, top)) * height) / shown;
    const high = (value: number) => (value * scale < 0.5 && value < shown / 2 ? 0 : Math.max(1, value * scale));
    return [
      {
        index,
        x: fixed(index * step + space / 2),
        width: fixed(step - space),
        stored: fixed(high(stored)),
        known: fixed(high(known)),
        rejected: fixed(high(rejected)),
      },
    ];
  });
}

/** Neighbouring stretches in one state as spans. */
export function holesOf(slots: readonly Slot[], width: number, state: Slot["state"] = "gap"): Hole[] {
  const step = width / Math.max(1, slots.length);
  const holes: Hole[] = [];
  let open = false;
  for (const [index, slot] of slots.entries()) {
    if (slot.state !== state) {
      open = false;
      continue;
    }
    const before = holes.at(-1);
    if (open && before) before.width += step;
    else holes.push({ x: index * step, width: step });
    open = true;
  }
  return holes.map((hole) => ({ x: fixed(hole.x), width: fixed(hole.width) }));
}

/** Where days (or, within two days, every sixth hour) begin in local time. */
export function ticksOf(since: number, until: number, width: number): Tick[] {
  const hours = (until - since) / 3_600_000;
  const at = new Date(since);
  at.setMinutes(0, 0, 0);
  const byHour = hours <= 48;
  if (!byHour) at.setHours(0);
  const days = Math.max(1, Math.ceil(hours / 24 / Math.max(2, width / 90)));
  const ticks: Tick[] = [];
  while (at.getTime() < until) {
    const fits = byHour ? at.getHours() % (width < 420 ? 12 : 6) === 0 : true;
    if (at.getTime() > since && fits) {
      ticks.push({ at: at.getTime(), x: fixed(((at.getTime() - since) / (until - since)) * width) });
    }
    if (byHour) at.setHours(at.getHours() + 1);
    else at.setDate(at.getDate() + days);
  }
  return ticks;
}

/** The sources as the table lists them, each with its stretches (none in the time shown: null). */
export function slotsBySource(inflow: Inflow | undefined): Map<string, SourceSlots> {
  return new Map(inflow?.items.map((item) => [item.source, item]));
}
