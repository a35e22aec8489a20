/** Where a chart's axes are marked. */

const HOUR = 3_600_000;
const STEPS = [0.25, 0.5, 1, 2, 3, 6, 12, 24, 48, 72, 168, 336].map((hours) => hours * HOUR);

/** Local times at round hours (or days) between two moments, at most `most` of them. */
export function timeTicks(from: number, to: number, most: number): number[] {
  const step = STEPS.find((candidate) => (to - from) / candidate <= most) ?? STEPS.at(-1) ?? HOUR;
  const midnight = new Date(from).setHours(0, 0, 0, 0);
  const ticks: number[] = [];
  for (let at = midnight; at <= to; at += step) if (at >= from) ticks.push(at);
  return ticks;
}

/** A round number at or above `value` that halves well: 1, 2, 4, 6, 8, 10 times a power of ten. */
export function roundTop(value: number): number {
  if (value <= 2) return 2;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10].find((candidate) => candidate * power >= value) ?? 10;
  const top = step * power;
  return Number.isInteger(top / 2) ? top : Math.ceil(top / 2) * 2;
}
