import { type Line, runsOf, spansOf, topOf } from "../lib/line";

/** What a chart draws, as SVG paths in pixels. */
export interface Plot {
  bands: string[];
  lines: string[];
  hot: string[];
  gaps: [number, number][];
  shades: [number, number][];
  end: { x: number; y: number; hot: boolean } | null;
}

/** Where a chart's marks may be: time from left to right, values from the bottom up. */
export interface Frame {
  left: number;
  right: number;
  top: number;
  bottom: number;
  since: number;
  until: number;
  /** The value at the top; absent: the largest that is drawn. */
  most?: number;
}

const PAD = 3;

const fixed = (value: number) => Math.round(value * 10) / 10;

/** The frame of a small multiple of `width` × `height`. */
export function smallFrame(since: number, until: number, width: number, height: number): Frame {
  return { left: PAD, right: width - PAD, top: PAD, bottom: height - PAD, since, until };
}

export function scaleX(frame: Frame): (at: number) => number {
  const span = Math.max(1, frame.until - frame.since);
  return (at) => frame.left + ((at - frame.since) / span) * (frame.right - frame.left);
}

export function scaleY(frame: Frame, most: number): (value: number) => number {
  return (value) => frame.bottom - (value / most) * (frame.bottom - frame.top);
}

/** Lay a line out in a frame; the scale goes from 0 to what is largest. */
export function plotOf(line: Line, windowMs: number, frame: Frame): Plot {
  const x = scaleX(frame);
  const y = scaleY(frame, frame.most ?? Math.max(1, topOf(line)));
  const point = (index: number, value: number) => `${fixed(x((line.starts[index] as number) + windowMs / 2))} ${fixed(y(value))}`;
  const runs = runsOf(line, windowMs);
  const lines: string[] = [];
  const bands: string[] = [];
  const hot: string[] = [];
  for (const [from, to] of runs) {
    let path = "";
    let warm = "";
    const above: string[] = [];
    const below: string[] = [];
    for (let index = from; index < to; index += 1) {
      const at = point(index, line.counts[index] as number);
      path += `${index === from ? "M" : "L"}${at}`;
      if (line.states[index] === "x") {
        // The warm line begins at the window before it, so that it joins the calm one.
        if (!warm) warm = index > from ? `M${point(index - 1, line.counts[index - 1] as number)}L${at}` : `M${at}`;
        else warm += `L${at}`;
      } else if (warm) {
        hot.push(warm);
        warm = "";
      }
      const [low, high] = [line.lower[index] ?? null, line.upper[index] ?? null];
      if (low !== null && high !== null) {
        above.push(point(index, high));
        below.push(point(index, low));
      }
    }
    if (warm) hot.push(warm);
    lines.push(path);
    if (above.length > 1) bands.push(`M${above.join("L")}L${below.reverse().join("L")}Z`);
  }
  const clip = ([from, to]: [number, number]): [number, number] => [
    fixed(x(Math.max(from, frame.since))),
    fixed(x(Math.min(to, frame.until))),
  ];
  return {
    bands,
    lines,
    hot,
    gaps: spansOf(line, windowMs, "g").map(clip),
    shades: spansOf(line, windowMs, "x").map(clip),
    end: endOf(line, windowMs, x, y),
  };
}

function endOf(line: Line, windowMs: number, x: (at: number) => number, y: (value: number) => number): Plot["end"] {
  const last = line.starts.length - 1;
  if (last < 0 || line.states[last] === "g") return null;
  return {
    x: fixed(x((line.starts[last] as number) + windowMs / 2)),
    y: fixed(y(line.counts[last] as number)),
    hot: line.states[last] === "x",
  };
}
