import { memo, useId } from "react";
import type { Window } from "../api/types";
import * as format from "../lib/format";
import type { Line } from "../lib/line";
import { type Plot, plotOf, smallFrame } from "./plot";

interface SparklineProps {
  /** What is drawn, for people who hear the page. */
  label: string;
  line: Line;
  last: Window | null;
  windowS: number;
  /** The stretch of time that is drawn, milliseconds. */
  since: number;
  until: number;
  width: number;
}

export const SPARK_HEIGHT = 32;

/** One small multiple: the band is what is usual, the line what was counted; holes are hatched, the unusual is warm. */
export const Sparkline = memo(function Sparkline({ label, line, last, windowS, since, until, width }: SparklineProps) {
  const says = last ? `${label}: ${inWords(last)}` : `${label}: no window has closed yet`;
  const plot = plotOf(line, windowS * 1000, smallFrame(since, until, width, SPARK_HEIGHT));
  return (
    <svg width={width} height={SPARK_HEIGHT} viewBox={`0 0 ${width} ${SPARK_HEIGHT}`} role="img" aria-label={says}>
      {plot.lines.length === 0 && <line x1="0" x2="100%" y1={SPARK_HEIGHT - 3} y2={SPARK_HEIGHT - 3} className="nothing" />}
      <Marks plot={plot} top={0} height={SPARK_HEIGHT} />
    </svg>
  );
});

/** Holes, warm stretches, band and lines of a plot. */
export function Marks({ plot, top, height }: { plot: Plot; top: number; height: number }) {
  const hatch = useId();
  return (
    <>
      {plot.gaps.length > 0 && (
        <pattern id={hatch} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <line x1="0" y1="0" x2="0" y2="5" className="hatch-line" />
        </pattern>
      )}
      {plot.gaps.map(([from, to]) => (
        <rect key={from} x={from} width={Math.max(1, to - from)} y={top} height={height} fill={`url(#${hatch})`} />
      ))}
      {plot.shades.map(([from, to]) => (
        <rect key={from} x={from} width={Math.max(1, to - from)} y={top} height={height} className="shade" />
      ))}
      {plot.bands.map((path, index) => (
        <path key={index} d={path} className="band" />
      ))}
      {plot.lines.map((path, index) => (
        <path key={index} d={path} className="line" />
      ))}
      {plot.hot.map((path, index) => (
        <path key={index} d={path} className="line line-hot" />
      ))}
      {plot.end && <circle cx={plot.end.x} cy={plot.end.y} r="2.5" className={plot.end.hot ? "dot dot-hot" : "dot"} />}
    </>
  );
}

/** A window as a phrase: `31 posts, usual 24–55`. */
export function inWords(window: Window, unit = "posts"): string {
  if (window.state === "gap") return "no data in the last window";
  const counted = `${format.whole(window.count)} ${window.count === 1 ? unit.replace(/s$/, "") : unit}`;
  if (unit !== "posts") return counted;
  if (window.lower === null || window.upper === null) return `${counted}, still learning what is usual`;
  return `${counted}, usual ${format.expectation(window.lower)}–${format.expectation(window.upper)}`;
}
