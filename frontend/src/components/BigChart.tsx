import { CustomChart, LineChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { type EChartsType, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";
import type { Window } from "../api/types";
import { useColours } from "./chartColours";
import { chartOption, windowAt } from "./chartOption";
import type { SeriesChartProps } from "./SeriesChart";
import { useSize } from "../lib/useSize";

use([LineChart, CustomChart, GridComponent, TooltipComponent, SVGRenderer]);

/** The ECharts part of `SeriesChart`, in a file of its own so that it is loaded only where it is shown. */
export default function BigChart({ windows, windowS, openedAt = null, now = Date.now(), onOpen }: SeriesChartProps) {
  const [ref, { width, height }] = useSize<HTMLDivElement>({ width: 680, height: 236 });
  const chart = useRef<EChartsType | null>(null);
  const colours = useColours();
  const open = useRef<{ windows: readonly Window[]; onOpen: SeriesChartProps["onOpen"] }>({ windows, onOpen });

  useEffect(() => {
    open.current = { windows, onOpen };
  }, [windows, onOpen]);

  useEffect(() => {
    if (!ref.current) return;
    const made = init(ref.current, null, { renderer: "svg", width: 680, height: 236 });
    chart.current = made;
    made.getZr().on("click", (event) => {
      const [at] = made.convertFromPixel("grid", [event.offsetX, event.offsetY]) ?? [];
      const window = at === undefined ? undefined : windowAt(open.current.windows, windowS, at);
      if (window) open.current.onOpen?.(window);
    });
    return () => made.dispose();
  }, [ref, windowS]);

  useEffect(() => {
    chart.current?.resize({ width, height });
    chart.current?.setOption(chartOption({ windows, windowS, openedAt, now, width, colours }), { notMerge: true });
  }, [windows, windowS, openedAt, now, width, height, colours]);

  return <div ref={ref} className={onOpen ? "chart-canvas chart-opens" : "chart-canvas"} />;
}
