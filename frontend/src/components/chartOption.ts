import type { CustomSeriesOption } from "echarts/charts";
import type { GridComponentOption } from "echarts/components";
import type { ComposeOption } from "echarts/core";
import type { Window } from "../api/types";
import * as format from "../lib/format";
import type { Colours } from "./chartColours";
import { runsOf, spansOf } from "./plot";
import { roundTop, timeTicks } from "./ticks";

export type Option = ComposeOption<CustomSeriesOption | GridComponentOption>;
type Render = NonNullable<CustomSeriesOption["renderItem"]>;
type Api = Parameters<Render>[1];
type Element = Record<string, unknown>;

export interface ChartInput {
  windows: readonly Window[];
  windowS: number;
  openedAt: string | null;
  now: format.Moment;
  width: number;
  colours: Colours;
}

const FONT = '11px "Inter Variable", system-ui, sans-serif';
/** Pixels between the strokes of a hatched hole. */
const HATCH = 6;

/** Pixels from which a hole is named. */
const NAMED = 6;

type Frame = { x: number; y: number; width: number; height: number };

function hatched([left, right]: [number, number], frame: Frame, colours: Colours): Element {
  const width = Math.max(2, right - left);
  const strokes: Element[] = [];
  for (let offset = -frame.height; offset < width; offset += HATCH) {
    strokes.push({
      type: "line",
      silent: true,
      shape: { x1: left + offset, y1: frame.y + frame.height, x2: left + offset + frame.height, y2: frame.y },
      style: { stroke: colours["line-strong"], lineWidth: 1 },
    });
  }
  return {
    type: "group",
    children: strokes,
    clipPath: { type: "rect", shape: { x: left, y: frame.y, width, height: frame.height } },
  };
}

function words(text: string, x: number, y: number, align: "left" | "center" | "right", fill: string): Element {
  return { type: "text", silent: true, style: { text, x, y, align, verticalAlign: "middle", fill, font: FONT } };
}

/** A label kept inside the frame. */
function held(x: number, frame: Frame, text: string): number {
  const half = text.length * 3;
  return Math.min(Math.max(x, frame.x + half), frame.x + frame.width - half);
}

function bands(input: ChartInput, api: Api): Element[] {
  const middle = (window: Window) => Date.parse(window.start) + input.windowS * 500;
  return runsOf(input.windows, input.windowS).flatMap((run) => {
    const known = run.filter((window) => window.lower !== null && window.upper !== null);
    if (known.length < 2) return [];
    const top = known.map((window) => api.coord([middle(window), window.upper ?? 0]));
    const bottom = known.map((window) => api.coord([middle(window), window.lower ?? 0])).reverse();
    return [{ type: "polygon", silent: true, shape: { points: [...top, ...bottom] }, style: { fill: input.colours.band } }];
  });
}

function holes(input: ChartInput, api: Api, frame: Frame): Element[] {
  return spansOf(input.windows, input.windowS, "gap").flatMap((span) => {
    const [left, right] = [api.coord([span[0], 0])[0] ?? 0, api.coord([span[1], 0])[0] ?? 0];
    const hole = hatched([left, right], frame, input.colours);
    // A sliver says it under the pointer; its words would only stand in the way.
    if (right - left < NAMED) return [hole];
    const text = `no data ${format.duration((span[1] - span[0]) / 1000)}`;
    const at = held((left + right) / 2, frame, text);
    return [hole, words(text, at, frame.y - 8, "center", input.colours.muted)];
  });
}

function alarms(input: ChartInput, api: Api, frame: Frame): Element[] {
  return spansOf(input.windows, input.windowS, "unusual").map(([from, to]) => {
    const [left, right] = [api.coord([from, 0])[0] ?? 0, api.coord([to, 0])[0] ?? 0];
    const shape = { x: left, y: frame.y, width: Math.max(2, right - left), height: frame.height };
    return { type: "rect", silent: true, shape, style: { fill: input.colours["unusual-fill"] } };
  });
}

function opened(input: ChartInput, api: Api, frame: Frame): Element[] {
  if (!input.openedAt) return [];
  const x = api.coord([Date.parse(input.openedAt), 0])[0] ?? 0;
  const text = `alert opened ${format.clock(input.openedAt, input.now)}`;
  const leftwards = x - frame.x > 120;
  return [
    {
      type: "line",
      silent: true,
      shape: { x1: x, y1: frame.y, x2: x, y2: frame.y + frame.height },
      style: { stroke: input.colours.unusual, lineWidth: 1.5, lineDash: [2, 3] },
    },
    words(text, leftwards ? x - 6 : x + 6, frame.y + 8, leftwards ? "right" : "left", input.colours.unusual),
  ];
}

/** The band's own name, above it where the calm part begins; nothing on charts that are too narrow for it. */
function bandName(input: ChartInput, api: Api, frame: Frame): Element[] {
  const known = input.windows.filter((window) => window.upper !== null && window.state !== "gap");
  if (frame.width < 360 || known.length < 12) return [];
  const at = known[Math.floor(known.length * 0.12)];
  if (!at) return [];
  const around = known.slice(0, Math.ceil(known.length * 0.24));
  const highest = Math.max(...around.map((window) => Math.max(window.count, window.upper ?? 0)));
  const [x = 0, y = 0] = api.coord([Date.parse(at.start), highest]);
  return [words("usual at this hour", held(x, frame, "usual at this hour"), y - 9, "center", input.colours.muted)];
}

function ends(input: ChartInput, api: Api): Element[] {
  const last = input.windows.at(-1);
  if (!last || last.state === "gap") return [];
  const [cx = 0, cy = 0] = api.coord([Date.parse(last.start) + input.windowS * 500, last.count]);
  const fill = last.state === "unusual" ? input.colours.unusual : input.colours.series;
  return [{ type: "circle", silent: true, shape: { cx, cy, r: 3 }, style: { fill } }];
}

function stroke(points: number[][], colour: string, width: number): Element {
  const style = { stroke: colour, lineWidth: width, lineJoin: "round", fill: null };
  return { type: "polyline", silent: true, shape: { points }, style };
}

/** The line of what was counted: one piece a run, and over it in the warm colour what is unusual. */
function lines(input: ChartInput, api: Api): Element[] {
  return runsOf(input.windows, input.windowS).flatMap((run) => {
    const points = run.map((window) => api.coord([Date.parse(window.start) + input.windowS * 500, window.count]));
    const calm = stroke(points, input.colours.series, 1.5);
    const hot = unusualPieces(run).map(([from, to]) => stroke(points.slice(from, to), input.colours.unusual, 2));
    return [calm, ...hot];
  });
}

/** Index ranges of the unusual windows of a run, each from the window before it, so that it joins the calm line. */
export function unusualPieces(run: readonly Window[]): [number, number][] {
  const pieces: [number, number][] = [];
  for (const [index, window] of run.entries()) {
    if (window.state !== "unusual") continue;
    const last = pieces.at(-1);
    if (last && last[1] === index) last[1] = index + 1;
    else pieces.push([Math.max(0, index - 1), index + 1]);
  }
  return pieces;
}

export function chartOption(input: ChartInput): Option {
  const { windows, windowS, colours } = input;
  const from = Date.parse(windows[0]?.start ?? "");
  const to = Date.parse(windows.at(-1)?.start ?? "") + windowS * 1000;
  const top = roundTop(Math.max(...windows.map((window) => Math.max(window.count, window.upper ?? 0))));
  const ticks = timeTicks(from, to, Math.max(2, Math.floor(input.width / 110)));
  const render = (marks: (api: Api, frame: Frame) => Element[]): Render =>
    ((params: { coordSys: unknown }, api: Api) => ({
      type: "group",
      children: marks(api, params.coordSys as Frame),
    })) as unknown as Render;
  const layer = (z: number, marks: (api: Api, frame: Frame) => Element[]): CustomSeriesOption => ({
    type: "custom",
    z,
    silent: true,
    data: [[from, 0]],
    renderItem: render(marks),
  });
  return {
    animation: false,
    textStyle: { fontFamily: '"Inter Variable", system-ui, sans-serif' },
    grid: { left: 8 + 7 * format.count(top).length, right: 12, top: 22, bottom: 24 },
    xAxis: {
      type: "time",
      min: from,
      max: to,
      axisLine: { show: false },
      axisTick: { show: false },
      splitLine: { show: false },
      axisLabel: {
        customValues: ticks,
        color: colours.muted,
        fontSize: 11,
        hideOverlap: true,
        alignMinLabel: "left",
        alignMaxLabel: "right",
        formatter: (at: number) => axisTime(at, to - from),
      },
    },
    yAxis: {
      type: "value",
      min: 0,
      max: top,
      interval: top / 2,
      axisLabel: { color: colours.muted, fontSize: 11, formatter: (value: number) => format.count(value) },
      splitLine: { lineStyle: { color: colours.line } },
    },
    series: [
      layer(1, (api, frame) => [...alarms(input, api, frame), ...holes(input, api, frame), ...bands(input, api)]),
      layer(4, (api) => lines(input, api)),
      layer(6, (api, frame) => [...opened(input, api, frame), ...bandName(input, api, frame), ...ends(input, api)]),
    ],
  };
}

/** The window that holds a moment. */
export function windowAt(windows: readonly Window[], windowS: number, at: number): Window | undefined {
  return windows.find((window) => {
    const start = Date.parse(window.start);
    return at >= start && at < start + windowS * 1000;
  });
}

function axisTime(at: number, span: number): string {
  const when = new Date(at);
  const midnight = when.getHours() === 0 && when.getMinutes() === 0;
  if (!midnight) return format.clock(when, when);
  const day = new Intl.DateTimeFormat("en-GB", span > 6 * 86_400_000 ? { day: "numeric", month: "short" } : { weekday: "short", day: "numeric" });
  return day.format(when);
}
