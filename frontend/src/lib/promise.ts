/** The promises that a slider offers, days: about even steps on a log scale. */
export const PROMISES = [1, 2, 3, 5, 7, 14, 21, 30, 45, 60, 90, 120, 180, 365] as const;

/** The step of the slider that is nearest to a promise. */
export function stepOf(days: number): number {
  let best = 0;
  for (const [index, promise] of PROMISES.entries()) {
    if (Math.abs(Math.log(promise / days)) < Math.abs(Math.log((PROMISES[best] as number) / days))) best = index;
  }
  return best;
}
