/** For how long a tracker may be told to be silent. */
export interface Snooze {
  says: string;
  until: (now: Date) => Date;
}

const HOUR = 3_600_000;

/** The next time that the local clock shows `hour`, on a day that `fits`. */
export function nextAt(now: Date, hour: number, fits: (day: number) => boolean = () => true): Date {
  const at = new Date(now);
  at.setHours(hour, 0, 0, 0);
  while (at <= now || !fits(at.getDay())) at.setDate(at.getDate() + 1);
  return at;
}

export const SNOOZES: readonly Snooze[] = [
  { says: "for an hour", until: (now) => new Date(now.getTime() + HOUR) },
  { says: "for 8 hours", until: (now) => new Date(now.getTime() + 8 * HOUR) },
  { says: "until tomorrow, 09:00", until: (now) => nextAt(new Date(now.getTime() + 6 * HOUR), 9) },
  { says: "until Monday, 09:00", until: (now) => nextAt(now, 9, (day) => day === 1) },
  { says: "for 30 days", until: (now) => new Date(now.getTime() + 30 * 24 * HOUR) },
];
