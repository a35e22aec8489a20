/** How numbers, times and rarity are written: one place, so that the same value reads the same everywhere. */

export const MISSING = "–";
const THIN = "\u00a0";
const wholes = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

type Maybe<T> = T | null | undefined;

function known(value: Maybe<number>): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** A number with its unit, which is singular for one: `1 like`, `12.4 k likes`. */
export function counted(value: Maybe<number>, unit: string): string {
  return `${count(value)} ${value === 1 ? unit.replace(/s$/, "") : unit}`;
}

/** All digits, grouped: `10,412,904`. */
export function whole(value: Maybe<number>): string {
  return known(value) ? wholes.format(value) : MISSING;
}

const STEPS: ReadonlyArray<readonly [number, string]> = [
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/** At most four digits: `1,204`, `12.4 k`, `412 k`, `2.1 M`. */
export function count(value: Maybe<number>): string {
  if (!known(value)) return MISSING;
  if (Math.abs(value) < 10_000) return wholes.format(value);
  // The step is chosen after rounding, so that 999,999 is 1 M and not 1,000 k.
  for (const [size, unit] of STEPS) {
    const scaled = value / size;
    if (Math.abs(scaled) >= 0.9995) {
      const digits = Math.abs(scaled) < 99.95 ? 1 : 0;
      return `${trimmed(scaled.toFixed(digits))}${THIN}${unit}`;
    }
  }
  return wholes.format(value);
}

function trimmed(text: string): string {
  return text.replace(/\.0$/, "");
}

const SIZES: ReadonlyArray<readonly [number, string]> = [
  [1e12, "TB"],
  [1e9, "GB"],
  [1e6, "MB"],
  [1e3, "kB"],
];

/** Bytes in at most three digits: `412 B`, `14.2 MB`, `95 GB`. */
export function bytes(value: Maybe<number>): string {
  if (!known(value)) return MISSING;
  for (const [size, unit] of SIZES) {
    const scaled = value / size;
    if (scaled >= 0.9995) return `${trimmed(scaled.toFixed(scaled < 99.95 ? 1 : 0))}${THIN}${unit}`;
  }
  return `${wholes.format(value)}${THIN}B`;
}

/** An expectation, which is rarely whole: `0.42`, `3.8`, `38`. */
export function expectation(value: Maybe<number>): string {
  if (!known(value)) return MISSING;
  if (value < 1) return trimmed(value.toFixed(2).replace(/0$/, ""));
  if (value < 10) return trimmed(value.toFixed(1));
  return count(Math.round(value));
}

/** How many times the usual: `1.04×`, `6.3×`, `14×`. */
export function ratio(value: Maybe<number>): string {
  if (!known(value)) return MISSING;
  if (value === 0) return "0×";
  if (value < 1.995) return `${value.toFixed(2)}×`;
  if (value < 9.95) return `${value.toFixed(1)}×`;
  return `${wholes.format(value)}×`;
}

/** A fraction as percent: `18 %`, `0.3 %`. */
export function percent(fraction: Maybe<number>): string {
  if (!known(fraction)) return MISSING;
  const value = fraction * 100;
  if (value > 0 && value < 0.05) return `<${THIN}0.1${THIN}%`;
  // Nearly all is not all: 99.7 % and never 100 %.
  if (value >= 99 && value < 100) return `${(Math.floor(value * 10) / 10).toFixed(1)}${THIN}%`;
  const digits = Math.abs(value) < 1 && value !== 0 ? 1 : 0;
  return `${value.toFixed(digits)}${THIN}%`;
}

/** A p-value: `0.004`, `3 × 10⁻⁹`. */
export function probability(value: Maybe<number>): string {
  if (!known(value)) return MISSING;
  if (value >= 0.001) return trimmed(value.toFixed(3));
  if (value <= 0) return `below 10${superscript(-300)}`;
  const power = Math.floor(Math.log10(value));
  return `${Math.round(value / 10 ** power)} × 10${superscript(power)}`;
}

function superscript(value: number): string {
  return [...String(value)].map((digit) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(digit)] ?? digit).join("");
}

function period(days: number): string {
  if (days >= 36_500) return "100+ years";
  if (days >= 730) return `${wholes.format(days / 365)} years`;
  if (days >= 1.5) return `${wholes.format(days)} days`;
  if (days >= 0.9) return "day";
  const hours = Math.round(days * 24);
  return hours > 1 ? `${hours} hours` : "hour";
}

/** How rare a window is: `1 in 140 days`. */
export function rarity(days: Maybe<number>): string {
  if (!known(days)) return MISSING;
  const text = period(days);
  return /^\d/.test(text) ? `1 in ${text}` : `once ${text === "day" ? "a day" : "an hour"}`;
}

/** The same in a sentence: `about once in 140 days`. */
export function onceIn(days: Maybe<number>): string {
  if (!known(days)) return "how rare is not known";
  const text = period(days);
  if (text === "100+ years") return "less than once in 100 years";
  return /^\d/.test(text) ? `about once in ${text}` : `about once ${text === "day" ? "a day" : "an hour"}`;
}

/** A length of time: `2 s`, `18 min`, `3 h 20 min`, `2 days`. */
export function duration(seconds: Maybe<number>): string {
  if (!known(seconds)) return MISSING;
  const s = Math.max(0, seconds);
  if (s < 59.5) return `${Math.round(s)}${THIN}s`;
  const minutes = Math.round(s / 60);
  if (minutes < 60) return `${minutes}${THIN}min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 10 && minutes % 60) return `${hours}${THIN}h ${minutes % 60}${THIN}min`;
  if (hours < 48) return `${hours}${THIN}h`;
  return `${Math.round(hours / 24)} days`;
}

/** The span of a window as it stands after "posts per": `5 minutes`, `hour`, `day`. */
export function windowSpan(seconds: number): string {
  if (seconds === 86_400) return "day";
  if (seconds === 3600) return "hour";
  if (seconds === 60) return "minute";
  if (seconds % 3600 === 0) return `${seconds / 3600} hours`;
  return seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`;
}

/** Posts a second: `1,592`, `4.2`, `0.3`. */
export function rate(perSecond: Maybe<number>): string {
  if (!known(perSecond)) return MISSING;
  return perSecond < 9.95 && perSecond !== 0 ? perSecond.toFixed(1) : count(perSecond);
}

export type Moment = string | number | Date;

function date(at: Moment): Date {
  return at instanceof Date ? at : new Date(at);
}

function sameDay(a: Date, b: Date): boolean {
  return a.toDateString() === b.toDateString();
}

const hours = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "short" });
const dayMonth = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const dayMonthYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/** Local time, as short as `now` allows: `17:42`, `Wed 17:42`, `3 Nov 17:42`, `3 Nov 2021`. */
export function clock(at: Maybe<Moment>, now: Moment = Date.now()): string {
  if (at === null || at === undefined) return MISSING;
  const when = date(at);
  const reference = date(now);
  if (Number.isNaN(when.getTime())) return MISSING;
  if (sameDay(when, reference)) return hours.format(when);
  const days = Math.abs(reference.getTime() - when.getTime()) / 86_400_000;
  if (days < 6) return `${weekday.format(when)} ${hours.format(when)}`;
  if (days < 300) return `${dayMonth.format(when)} ${hours.format(when)}`;
  return dayMonthYear.format(when);
}

const weekdayDay = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });

/** A local day: `Fri 20 Nov`. */
export function day(at: Moment): string {
  return weekdayDay.format(date(at)).replace(",", "");
}

/** A stretch of time, local: `Fri 20 Nov 14:00–15:00`, or `Fri 20 Nov` for a whole day. */
export function stretch(from: Moment, seconds: number): string {
  const start = date(from);
  const end = new Date(start.getTime() + seconds * 1000);
  return seconds >= 86_400 ? day(start) : `${day(start)} ${hours.format(start)}–${hours.format(end)}`;
}

/** The time as UTC, for titles: `2026-11-20 17:42:00 UTC`. */
export function utc(at: Maybe<Moment>): string {
  if (at === null || at === undefined) return "time not known";
  const when = date(at);
  if (Number.isNaN(when.getTime())) return "time not known";
  return `${when.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Seconds from one moment to another, or null where one is missing. */
export function secondsBetween(from: Maybe<Moment>, to: Maybe<Moment>): number | null {
  if (from === null || from === undefined || to === null || to === undefined) return null;
  return (date(to).getTime() - date(from).getTime()) / 1000;
}

/** Text cut at a word near `length`, for labels. */
export function shortened(text: string, length: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  if (line.length <= length) return line;
  const cut = line.slice(0, length);
  const space = cut.lastIndexOf(" ");
  return `${cut.slice(0, space > length * 0.6 ? space : length)}…`;
}
