import { useId } from "react";
import type { Slot } from "../api/types";
import * as format from "../lib/format";
import { useSize } from "../lib/useSize";
import { columnsOf, holesOf, niceTop, shownOf, ticksOf } from "./columns";

interface BarsProps {
  /** What is drawn, for people who hear the page. */
  label: string;
  slots: readonly Slot[];
  /** Somebody points at a stretch, or at none. */
  onPoint: (index: number | null) => void;
  pointed: number | null;
}

interface DrawnProps extends BarsProps {
  width: number;
  height: number;
  top: number;
  hatch: string;
}

/** Bars of one box: stored at the bottom, then known, then what could not be read; gaps are hatched. */
function Bars({ slots, width, height, top, hatch, pointed }: Omit<DrawnProps, "label" | "onPoint">) {
  const step = width / Math.max(1, slots.length);
  return (
    <>
      <pattern id={hatch} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <line x1="0" y1="0" x2="0" y2="5" className="hatch-line" />
      </pattern>
      {pointed !== null && <rect x={pointed * step} width={step} y="0" height={height} className="bar-pointed" />}
      {holesOf(slots, width).map((hole) => (
        <rect key={hole.x} x={hole.x} width={hole.width} y="0" height={height} fill={`url(#${hatch})`} />
      ))}
      {columnsOf(slots, width, height - 1, top).map((bar) => {
        const known = height - bar.stored - bar.known;
        return (
          <g key={bar.index}>
            {bar.stored > 0 && (
              <rect x={bar.x} width={bar.width} y={height - bar.stored} height={bar.stored} className="bar-stored" />
            )}
            {bar.known > 0 && <rect x={bar.x} width={bar.width} y={known} height={bar.known} className="bar-known" />}
            {bar.rejected > 0 && (
              <rect x={bar.x} width={bar.width} y={known - bar.rejected} height={bar.rejected} className="bar-rejected" />
            )}
          </g>
        );
      })}
    </>
  );
}

/** Which stretch the pointer is over. */
function pointing(slots: number, onPoint: BarsProps["onPoint"]) {
  return {
    onPointerMove: (event: React.PointerEvent) => {
      const box = event.currentTarget.getBoundingClientRect();
      const index = Math.floor(((event.clientX - box.left) / box.width) * slots);
      onPoint(Math.min(slots - 1, Math.max(0, index)));
    },
    onPointerLeave: () => onPoint(null),
  };
}

const SMALL = 30;

/** One source's bars, on a scale of its own. */
export function SourceBars({ label, slots, onPoint, pointed }: BarsProps) {
  const [ref, { width }] = useSize<HTMLDivElement>({ width: 400, height: SMALL });
  const hatch = useId();
  const top = Math.max(1, ...slots.map((slot) => shownOf(slot.counts)));
  return (
    <div className="spark" ref={ref} {...pointing(slots.length, onPoint)}>
      <svg width={width} height={SMALL} viewBox={`0 0 ${width} ${SMALL}`} role="img" aria-label={label}>
        <line x1="0" x2={width} y1={SMALL - 0.5} y2={SMALL - 0.5} className="axis" />
        <Bars slots={slots} width={width} height={SMALL} top={top} hatch={hatch} pointed={pointed} />
      </svg>
    </div>
  );
}

const LARGE = 148;
const AXIS = 20;

interface TotalProps extends BarsProps {
  since: number;
  until: number;
}

/** All sources together, with a scale and times. */
export function TotalBars({ label, slots, since, until, onPoint, pointed }: TotalProps) {
  const [ref, { width }] = useSize<HTMLDivElement>({ width: 700, height: LARGE + AXIS });
  const hatch = useId();
  const top = niceTop(Math.max(1, ...slots.map((slot) => shownOf(slot.counts))));
  const now = until;
  const byHour = until - since <= 48 * 3_600_000;
  return (
    <div className="inflow-total" ref={ref} {...pointing(slots.length, onPoint)}>
      <svg width={width} height={LARGE + AXIS} viewBox={`0 0 ${width} ${LARGE + AXIS}`} role="img" aria-label={label}>
        {[0, 0.5, 1].map((part) => (
          <line key={part} x1="0" x2={width} y1={LARGE - part * (LARGE - 14) + 0.5} y2={LARGE - part * (LARGE - 14) + 0.5} className="axis" />
        ))}
        <g transform="translate(0 14)">
          <Bars slots={slots} width={width} height={LARGE - 14} top={top} hatch={hatch} pointed={pointed} />
        </g>
        {[0.5, 1].map((part) => (
          <text key={part} x="0" y={LARGE - part * (LARGE - 14)} className="axis-text axis-value">
            {format.count(top * part)}
          </text>
        ))}
        {ticksOf(since, until, width).map((tick) => (
          <g key={tick.at}>
            <line x1={tick.x + 0.5} x2={tick.x + 0.5} y1={LARGE} y2={LARGE + 4} className="tick" />
            <text x={tick.x + 4} y={LARGE + 15} className="axis-text">
              {byHour ? format.clock(tick.at, now) : format.day(tick.at)}
            </text>
          </g>
        ))}
      </svg>
    </div>
  );
}
