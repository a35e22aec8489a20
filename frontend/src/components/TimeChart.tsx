import { type MouseEvent, useMemo, useState } from "react";
import * as format from "../lib/format";
import { type DrawnWindow, lineOf, spansOf, topOf } from "../lib/line";
import { useSize } from "../lib/useSize";
import { type Frame, plotOf, scaleX, scaleY } from "./plot";
import { Marks } from "./Sparkline";
import { roundTop, timeTicks } from "./ticks";

/** A moment that is marked with a dotted line and a word. */
export interface Mark {
  at: format.Moment;
  says: string;
  /** Somebody chose it. */
  onOpen?: () => void;
}

export interface TimeChartProps {
  windows: readonly DrawnWindow[];
  windowS: number;
  /** What is counted. */
  unit?: string;
  marks?: readonly Mark[];
  now?: format.Moment;
  /** Somebody chose a window: show its posts. */
  onOpen?: (window: DrawnWindow) => void;
}

const TOP = 22;
const BOTTOM = 24;
const RIGHT = 12;
/** Pixels from which a hole is named. */
const NAMED = 6;
/** Pixels that a letter of the chart takes, about. */
const LETTER = 6;

/** Counts per window on axes, drawn as plain SVG: the band, holes, warm stretches, marks; a tip under the pointer. */
export function TimeChart({ windows, windowS, unit = "posts", marks = [], now = Date.now(), onOpen }: TimeChartProps) {
  const [ref, { width, height }] = useSize<HTMLDivElement>({ width: 680, height: 236 });
  const [pointed, setPointed] = useState<number | null>(null);
  const line = useMemo(() => lineOf(windows), [windows]);
  const windowMs = windowS * 1000;
  const most = roundTop(topOf(line));
  const since = line.starts[0] ?? 0;
  const frame: Frame = {
    left: 8 + 7 * format.count(most).length,
    right: Math.max(60, width - RIGHT),
    top: TOP,
    bottom: Math.max(60, height - BOTTOM),
    since,
    until: (line.starts.at(-1) ?? 0) + windowMs,
    most,
  };
  const { left, right, top, bottom } = frame;
  const plot = useMemo(
    () => plotOf(line, windowMs, { left, right, top, bottom, since, until: (line.starts.at(-1) ?? 0) + windowMs, most }),
    [line, windowMs, left, right, top, bottom, since, most],
  );
  const x = scaleX(frame);

  const windowUnder = (event: MouseEvent): number | null => {
    const box = ref.current?.getBoundingClientRect();
    if (!box) return null;
    const at = frame.since + ((event.clientX - box.left - left) / (right - left)) * (frame.until - frame.since);
    const index = line.starts.findIndex((start) => at >= start && at < start + windowMs);
    return index === -1 ? null : index;
  };
  const hover = pointed === null ? undefined : windows[pointed];

  return (
    <div
      ref={ref}
      className={onOpen ? "chart-canvas chart-opens" : "chart-canvas"}
      onPointerMove={(event) => setPointed(windowUnder(event))}
      onPointerLeave={() => setPointed(null)}
      onClick={(event) => {
        const window = windows[windowUnder(event) ?? -1];
        if (window) onOpen?.(window);
      }}
    >
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        <Axes frame={frame} most={most} width={width} now={now} />
        <Marks plot={plot} top={top} height={bottom - top} />
        <HoleNames line={line} windowMs={windowMs} frame={frame} />
        <BandName line={line} windowMs={windowMs} frame={frame} most={most} />
        {marks.map((mark) => (
          <MarkLine key={`${mark.at} ${mark.says}`} mark={mark} frame={frame} crowded={marks.length > 3} />
        ))}
      </svg>
      {hover && (
        <Tip window={hover} x={x(Date.parse(hover.start) + windowMs / 2)} windowS={windowS} now={now} width={width} opens={onOpen !== undefined} unit={unit} />
      )}
    </div>
  );
}

interface AxesProps {
  frame: Frame;
  most: number;
  width: number;
  now: format.Moment;
}

function Axes({ frame, most, width }: AxesProps) {
  const x = scaleX(frame);
  const y = scaleY(frame, most);
  const ticks = timeTicks(frame.since, frame.until, Math.max(2, Math.floor(width / 110)));
  return (
    <g className="axes">
      {[0, most / 2, most].map((value) => (
        <g key={value}>
          <line x1={frame.left} x2={frame.right} y1={y(value)} y2={y(value)} />
          <text x={frame.left - 6} y={y(value) + 4} textAnchor="end">
            {format.count(value)}
          </text>
        </g>
      ))}
      {ticks.map((at) => {
        const text = axisTime(at, frame.until - frame.since);
        return (
          <text key={at} x={held(x(at), frame, text)} y={frame.bottom + 17} textAnchor="middle">
            {text}
          </text>
        );
      })}
    </g>
  );
}

/** A label kept inside the frame. */
function held(x: number, frame: Frame, text: string): number {
  const half = (text.length * LETTER) / 2;
  return Math.min(Math.max(x, frame.left + half), frame.right - half);
}

interface LineProps {
  line: ReturnType<typeof lineOf>;
  windowMs: number;
  frame: Frame;
}

/** A hole says how long it is; a sliver says it under the pointer, its words would only stand in the way. */
function HoleNames({ line, windowMs, frame }: LineProps) {
  const x = scaleX(frame);
  return spansOf(line, windowMs, "g").map(([from, to]) => {
    const [left, right] = [x(from), x(to)];
    if (right - left < NAMED) return null;
    const text = `no data ${format.duration((to - from) / 1000)}`;
    return (
      <text key={from} x={held((left + right) / 2, frame, text)} y={frame.top - 6} textAnchor="middle" className="chart-word">
        {text}
      </text>
    );
  });
}

/** The band's own name, above it where the calm part begins; nothing on charts that are too narrow for it. */
function BandName({ line, windowMs, frame, most }: LineProps & { most: number }) {
  const known = [...line.starts.keys()].filter((index) => line.upper[index] != null && line.states[index] !== "g");
  if (frame.right - frame.left < 360 || known.length < 12) return null;
  const at = known[Math.floor(known.length * 0.12)] as number;
  const around = known.slice(0, Math.ceil(known.length * 0.24));
  const highest = Math.max(...around.map((index) => Math.max(line.counts[index] as number, line.upper[index] ?? 0)));
  const text = "usual at this hour";
  const x = held(scaleX(frame)((line.starts[at] as number) + windowMs / 2), frame, text);
  return (
    <text x={x} y={scaleY(frame, most)(highest) - 6} textAnchor="middle" className="chart-word">
      {text}
    </text>
  );
}

/** A dotted line with a word; with many of them the words would stand on each other, so they are left out. */
function MarkLine({ mark, frame, crowded }: { mark: Mark; frame: Frame; crowded: boolean }) {
  const x = scaleX(frame)(new Date(mark.at).getTime());
  if (x < frame.left - 1 || x > frame.right + 1) return null;
  const leftwards = x - frame.left > 120;
  return (
    <g className="chart-mark">
      <line x1={x} x2={x} y1={frame.top} y2={frame.bottom} />
      {crowded ? (
        <circle cx={x} cy={frame.top} r="3" />
      ) : (
        <text x={leftwards ? x - 6 : x + 6} y={frame.top + 12} textAnchor={leftwards ? "end" : "start"}>
          {mark.says}
        </text>
      )}
    </g>
  );
}

interface TipProps {
  window: DrawnWindow;
  x: number;
  windowS: number;
  now: format.Moment;
  width: number;
  opens: boolean;
  unit: string;
}

/** What the window under the pointer holds. */
function Tip({ window, x, windowS, now, width, opens, unit }: TipProps) {
  const { start, windowS: seconds } = window.counted ?? { start: window.start, windowS };
  const end = new Date(Date.parse(start) + seconds * 1000);
  const gap = window.state === "gap";
  return (
    <>
      <span className="chart-line" style={{ left: x }} />
      <div className="chart-tip" style={x > width / 2 ? { right: width - x + 12 } : { left: x + 12 }}>
        <p className="note" title={format.utc(start)}>
          {format.clock(start, now)}–{format.clock(end, end)}
        </p>
        <p className="strong">{gap ? "no data" : `${format.whole(window.count)} ${window.count === 1 ? unit.replace(/s$/, "") : unit}`}</p>
        {window.lower !== null && (
          <p className="small">
            expected {format.expectation(window.expected)}, usual {format.expectation(window.lower)}–
            {format.expectation(window.upper)}
          </p>
        )}
        {window.state === "unusual" && <p className="small unusual">{format.rarity(window.return_days)}</p>}
        {window.state === "macro" && <p className="small">rises with the platform</p>}
        {window.late > 0 && <p className="small muted">{format.whole(window.late)} came late</p>}
        {opens && !gap && <p className="note">click: its posts</p>}
      </div>
    </>
  );
}

function axisTime(at: number, span: number): string {
  const when = new Date(at);
  const midnight = when.getHours() === 0 && when.getMinutes() === 0;
  if (!midnight) return format.clock(when, when);
  const day = new Intl.DateTimeFormat("en-GB", span > 6 * 86_400_000 ? { day: "numeric", month: "short" } : { weekday: "short", day: "numeric" });
  return day.format(when);
}
