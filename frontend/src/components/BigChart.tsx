import { CustomChart } from "echarts/charts";
import { GridSimpleComponent } from "echarts/components";
import { type EChartsType, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { useEffect, useRef, useState } from "react";
import type { Window } from "../api/types";
import * as format from "../lib/format";
import { useSize } from "../lib/useSize";
import { useColours } from "./chartColours";
import { chartOption, windowAt } from "./chartOption";
import type { SeriesChartProps } from "./SeriesChart";

// Only what draws axes and custom marks: ECharts' own lines and tooltips would take a tenth of the page's budget.
use([CustomChart, GridSimpleComponent, SVGRenderer]);

interface Hover {
  window: Window;
  x: number;
}

/** The ECharts part of `SeriesChart`, in a file of its own so that it is loaded only where it is shown. */
export default function BigChart({ windows, windowS, openedAt = null, now = Date.now(), onOpen }: SeriesChartProps) {
  const [ref, { width, height }] = useSize<HTMLDivElement>({ width: 680, height: 236 });
  const canvas = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const [hover, setHover] = useState<Hover | null>(null);
  const colours = useColours();
  const shown = useRef({ windows, onOpen });

  useEffect(() => {
    shown.current = { windows, onOpen };
  }, [windows, onOpen]);

  useEffect(() => {
    if (!canvas.current) return;
    const made = init(canvas.current, null, { renderer: "svg", width: 680, height: 236 });
    chart.current = made;
    const windowUnder = (event: { offsetX: number; offsetY: number }): Window | undefined => {
      const [at] = made.convertFromPixel("grid", [event.offsetX, event.offsetY]) ?? [];
      return at === undefined ? undefined : windowAt(shown.current.windows, windowS, at);
    };
    const pointer = made.getZr();
    pointer.on("click", (event) => {
      const window = windowUnder(event);
      if (window) shown.current.onOpen?.(window);
    });
    pointer.on("mousemove", (event) => {
      const window = windowUnder(event);
      const middle = window && Date.parse(window.start) + windowS * 500;
      const [x = 0] = middle ? made.convertToPixel("grid", [middle, 0]) : [];
      setHover(window ? { window, x } : null);
    });
    pointer.on("globalout", () => setHover(null));
    return () => made.dispose();
  }, [windowS]);

  useEffect(() => {
    chart.current?.resize({ width, height });
    chart.current?.setOption(chartOption({ windows, windowS, openedAt, now, width, colours }), { notMerge: true });
  }, [windows, windowS, openedAt, now, width, height, colours]);

  return (
    <div ref={ref} className={onOpen ? "chart-canvas chart-opens" : "chart-canvas"}>
      <div ref={canvas} />
      {hover && <Tip hover={hover} windowS={windowS} now={now} width={width} opens={onOpen !== undefined} />}
    </div>
  );
}

interface TipProps {
  hover: Hover;
  windowS: number;
  now: format.Moment;
  width: number;
  opens: boolean;
}

/** What the window under the pointer holds. */
function Tip({ hover: { window, x }, windowS, now, width, opens }: TipProps) {
  const end = new Date(Date.parse(window.start) + windowS * 1000);
  const gap = window.state === "gap";
  return (
    <>
      <span className="chart-line" style={{ left: x }} />
      <div className="chart-tip" style={x > width / 2 ? { right: width - x + 12 } : { left: x + 12 }}>
        <p className="note" title={format.utc(window.start)}>
          {format.clock(window.start, now)}–{format.clock(end, end)}
        </p>
        <p className="strong">{gap ? "no data" : `${format.whole(window.count)} ${window.count === 1 ? "post" : "posts"}`}</p>
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
